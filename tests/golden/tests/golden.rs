//! Compares the generated code and index of each folder with the files in `golden/`. `UPDATE=1` updates them.

#[path = "../options.rs"]
mod options;

use std::path::Path;
use std::{env, fs};

fn hold(name: &str, folder: &str) {
    let builder = twyla_build::Builder::new(folder).shown_as("schemas");
    let builder = if name == "custom" { options::custom(builder) } else { builder };
    let generated = builder.generate();
    let generated = generated.unwrap_or_else(|problems| panic!("{name}: {problems}"));
    let mut about = String::new();
    for warning in &generated.warnings {
        about.push_str(&format!("warning: {warning}\n"));
    }
    for (contract, reasons) in &generated.trees {
        about.push_str(&format!("rule trees of {contract}\n"));
        reasons.iter().for_each(|reason| about.push_str(&format!("  {reason}\n")));
    }
    for (kind, text) in [("rs", &generated.code), ("index", &generated.index), ("about", &about)] {
        let path = Path::new("golden").join(format!("{name}.{kind}.golden"));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, text).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        let first = golden.lines().zip(text.lines()).position(|(old, new)| old != new);
        assert!(
            golden == **text,
            "{} differs from line {:?} on; UPDATE=1 accepts",
            path.display(),
            first.map(|line| line + 1)
        );
    }
    assert_eq!(twyla_contract::index::read(&generated.index), Ok(generated.contracts));
}

#[test]
fn generated_code_equals_its_golden() {
    hold("demo", "../../schemas");
    for name in [
        "custom",
        "defaults",
        "digits",
        "exact",
        "fields",
        "names",
        "order",
        "refs",
        "rpc",
        "rules",
        "sensitive",
        "shapes",
        "trees",
        "unions",
    ] {
        hold(name, &format!("schemas/{name}"));
    }
}
