//! rustc has no warning for any name of a property.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fmt::Write;
use std::process::Command;

use serde_json::{Map, Value, json};

/// Each letter, alone and after an ASCII letter, without scripts of thousands of uniform letters.
#[test]
fn rustc_has_no_warning_for_any_name() {
    let many = ['\u{3400}'..='\u{9fff}', '\u{ac00}'..='\u{d7a3}', '\u{12000}'..='\u{1b2ff}', '\u{20000}'..='\u{3ffff}'];
    let letters = ('\u{80}'..='\u{3ffff}').filter(|c| c.is_alphanumeric() && !many.iter().any(|it| it.contains(c)));
    let letters: Vec<char> = letters.chain(many.iter().map(|it| *it.start())).collect();
    assert!(letters.len() > 18_000, "{}", letters.len());
    // several objects, because the number of fields matters in rustc; names that look alike are in one object
    letters.chunks(1500).for_each(|letters| {
        let names = letters.iter().flat_map(|c| [format!("{c}"), format!("x{c}")]);
        warns_of_nothing(names.map(|name| (name, json!({}))).collect());
    });
}

/// Compiles an object's field names with rustc, together with all ASCII letters.
fn warns_of_nothing(properties: Map<String, Value>) {
    let count = properties.len();
    let folder = tempfile::tempdir().unwrap();
    let event = json!({ "type": "object", "properties": properties });
    std::fs::create_dir_all(folder.path().join("events/a")).unwrap();
    std::fs::write(folder.path().join("events/a/b.json"), event.to_string()).unwrap();
    std::fs::write(folder.path().join("context.json"), "{}").unwrap();
    let generated = twyla_build::Builder::new(folder.path()).generate().unwrap();
    let fields = &generated.contracts.events[0].properties;
    assert_eq!(fields.len(), count);
    let mut code = "#![deny(warnings)]\n#![allow(nonstandard_style)]\npub struct A {\n".to_owned();
    fields.iter().for_each(|property| writeln!(code, "pub {}: (),", property.field).unwrap());
    code += "}\npub struct B {\n";
    ('a'..='z').chain('A'..='Z').for_each(|c| writeln!(code, "pub {c}: (),").unwrap());
    code += "}\n";
    let file = folder.path().join("lib.rs");
    std::fs::write(&file, code).unwrap();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--crate-type", "lib", "--edition", "2024", "--emit", "metadata", "--out-dir"]).arg(folder.path());
    let output = rustc.arg(&file).output().unwrap();
    let warnings: String = String::from_utf8_lossy(&output.stderr).chars().take(4000).collect();
    assert!(output.status.success() && warnings.is_empty(), "{warnings}");
}
