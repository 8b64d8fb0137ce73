//! The required cases of the official suite through the package: it accepts what Twyla accepts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use twyla_build::Builder;
use twyla_build::compare::{ContractKind, SchemaPath};

use super::{python, text, twyla, write};

/// Decodes a value of each line, and encodes it again: `[accepted, same]`, or an error.
const DECODE: &str = r#"
import json, sys
from suite_contracts import CONTRACTS, ContractError
for line in sys.stdin:
    name, value = json.loads(line)
    try:
        model = CONTRACTS[name].decode(value)
    except ContractError:
        print(json.dumps([False, True]))
        continue
    try:
        written = CONTRACTS[name].encode(model)
    except ContractError as error:
        written = str(error)
    print(json.dumps([True, written == value]))
"#;

/// A group of the suite: its schema and its values.
struct Group {
    name: String,
    schema: Value,
    values: Vec<Value>,
}

fn groups(draft: &str, suite: &Path) -> Vec<Group> {
    let folder = suite.join("tests").join(draft);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json"));
    files.sort();
    let mut groups = Vec::new();
    for file in files {
        let all: Vec<Value> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let stem = file.file_stem().unwrap().to_str().unwrap().to_lowercase().replace(['-', '.'], "_");
        for (index, group) in all.iter().enumerate() {
            let tests = group["tests"].as_array().unwrap();
            let values = tests.iter().map(|test| test["data"].clone()).collect();
            groups.push(Group { name: format!("{stem}_{index}"), schema: group["schema"].clone(), values });
        }
    }
    groups
}

/// The contract of a group: a response, which may be any value.
fn add(folder: &Path, group: &Group) {
    let at = format!("schemas/rpc/suite/{}", group.name);
    write(folder, &format!("{at}/request.json"), "{ \"type\": \"object\" }");
    write(folder, &format!("{at}/response.json"), &group.schema.to_string());
}

fn agrees(draft: &str, default: &str, least: usize) {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/json-schema-test-suite");
    let folder = tempfile::tempdir().unwrap();
    let draft_of = default.parse().unwrap();
    write(folder.path(), "schemas/context.json", "{}");
    let mut taken: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut left = Vec::new();
    for group in groups(draft, &suite) {
        // one that Twyla doesn't compile, such as one that refers to another host, has no package
        let alone = tempfile::tempdir().unwrap();
        write(alone.path(), "schemas/context.json", "{}");
        add(alone.path(), &group);
        let compiled = Builder::new(alone.path().join("schemas")).default_draft(draft_of).contracts();
        if compiled.is_err() {
            left.push(group.name);
            continue;
        }
        add(folder.path(), &group);
        taken.insert(format!("suite.{}", group.name), group.values);
    }
    let sources = Builder::new(folder.path().join("schemas")).default_draft(draft_of).contracts().unwrap();
    let (said, code) = twyla(folder.path(), &["python", "suite_contracts", "--draft", default]);
    assert_eq!(code, 0, "{said}");

    let mut expected = Vec::new();
    let mut input = String::new();
    let schemas = sources.schemas();
    for (name, values) in &taken {
        let contract = sources.contract(ContractKind::Response, name).unwrap();
        let root = SchemaPath { document: contract.bundle.root().to_owned(), pointer: String::new() };
        let held =
            twyla_sample::Contract::new(schemas.schema(&root).unwrap(), &contract.bundle).unwrap().objects(false);
        for value in values {
            expected.push((name.clone(), value.clone(), held.violations(value).is_empty()));
            input += &format!("{}\n", json!([format!("{name}/response"), value]));
        }
    }
    write(folder.path(), "input", &input);
    let input = fs::File::open(folder.path().join("input")).unwrap();
    let output = python(folder.path()).args(["-c", DECODE]).stdin(Stdio::from(input)).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let answers: Vec<(bool, bool)> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), expected.len());
    let wrong: Vec<String> = expected
        .iter()
        .zip(&answers)
        .filter(|((_, _, valid), (accepted, same))| valid != accepted || !same)
        .map(|((name, value, valid), answer)| format!("{name}: {value}: Twyla {valid}, the package {answer:?}"))
        .collect();
    println!(
        "{draft}: {} values of {} groups agree, {} groups left out: {left:?}",
        answers.len(),
        taken.len(),
        left.len()
    );
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), answers.len(), wrong.join("\n"));
    assert!(answers.len() > least, "{}", answers.len());
}

#[test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
fn the_package_agrees_with_twyla_on_draft_7() {
    agrees("draft7", "7", 800);
}

#[test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
fn the_package_agrees_with_twyla_on_draft_2020_12() {
    agrees("draft2020-12", "2020-12", 1000);
}
