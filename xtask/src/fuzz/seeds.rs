//! The seeds of a fuzz target: events that a schema describes, the schemas themselves, and those of the shared test suite if
//! it exists. The names in them are the target's dictionary.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::error::Error;

/// The separator of the files in one input of the target `schemas`.
const END: u8 = 0xff;

/// Writes the seeds and the dictionary, and returns the number of seeds.
pub(super) fn write(schemas: &Path, schema: Option<&str>, seeds: &Path, dictionary: &Path) -> Result<usize, Error> {
    let mut words = BTreeSet::new();
    let mut inputs: Vec<Vec<u8>> = Vec::new();
    match schema {
        Some(schema) => {
            let schema = read(&schemas.join(schema))?;
            names(&schema, &mut words);
            for all in [true, false] {
                let content = sample(&schema, schemas, all)?;
                names(&content, &mut words);
                inputs.push(content.to_string().into_bytes());
            }
            inputs.extend([r#"{"a":[1.0,-0,1e2,"\u00e9\ud83d\ude00",null,true]}"#.into(), b"{}".to_vec()]);
        }
        None => {
            let mut files = Vec::new();
            walk(schemas, &mut files);
            let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/json-schema-test-suite/tests");
            let of_suite = files.len();
            walk(&suite, &mut files);
            for (index, path) in files.iter().enumerate() {
                let value = read(path)?;
                let groups =
                    if index < of_suite { vec![&value] } else { value.as_array().into_iter().flatten().collect() };
                for group in groups {
                    let schema = if index < of_suite { group } else { &group["schema"] };
                    names(schema, &mut words);
                    // one input has the schema as an event's schema, and one as a shared schema that an event's schema refers
                    // to
                    inputs.push(schema.to_string().into_bytes());
                    let event = json!({ "properties": { "p": { "$ref": "../../shared/s.json" } } }).to_string();
                    inputs.push([event.as_bytes(), b"{}", schema.to_string().as_bytes()].join(&END));
                }
            }
        }
    }
    for (index, input) in inputs.iter().enumerate() {
        let path = seeds.join(format!("{index}.json"));
        fs::write(&path, input).map_err(|error| Error::Write { path, error })?;
    }
    let lines: Vec<String> = words.iter().map(|word| format!("\"\\\"{word}\\\"\"\n")).collect();
    fs::write(dictionary, lines.concat()).map_err(|error| Error::Write { path: dictionary.to_owned(), error })?;
    Ok(inputs.len())
}

fn read(path: &Path) -> Result<Value, Error> {
    let text = fs::read(path).map_err(|error| Error::Read { path: path.to_owned(), error })?;
    serde_json::from_slice(&text).map_err(|error| Error::NoJson { path: path.to_owned(), error })
}

/// Collects all JSON files below a folder, sorted; none if the folder is missing.
fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            out.push(path);
        }
    }
}

/// Collects the plain words that are keys or strings of a value.
fn names(value: &Value, out: &mut BTreeSet<String>) {
    let mut add = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '-' | '/' | '#' | '.' | ':');
        if (1..=40).contains(&text.len()) && text.chars().all(plain) {
            out.insert(text.to_owned());
        }
    };
    match value {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| names(item, out)),
        Value::Object(members) => {
            members.keys().for_each(|key| add(key));
            members.values().for_each(|value| names(value, out));
        }
        _ => {}
    }
}

/// Creates a value for a schema of the demo platform: with all properties, or only the required ones.
fn sample(schema: &Value, root: &Path, all: bool) -> Result<Value, Error> {
    if let Some(target) = schema["$ref"].as_str() {
        return sample(&read(&root.join(target.trim_start_matches("../")))?, root, all);
    }
    if let Some(first) = schema["enum"].get(0) {
        return Ok(first.clone());
    }
    Ok(match schema["type"].as_str() {
        Some("object") => {
            let required =
                |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
            let mut out = Map::new();
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                if all || required(name) {
                    out.insert(name.clone(), sample(schema, root, all)?);
                }
            }
            Value::Object(out)
        }
        Some("array") => Value::Array(vec![sample(&schema["items"], root, all)?]),
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("string") => json!("en"),
        _ => Value::Null,
    })
}
