//! The report of small folders, with what each bar counts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// The report of a folder with one event, and whether it keeps the bars.
fn report(schema: &Value) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("events/shop")).unwrap();
    fs::write(folder.path().join("context.json"), "{ \"type\": \"object\" }").unwrap();
    fs::write(folder.path().join("events/shop/order_placed.json"), format!("{schema:#}")).unwrap();
    let Output { status, stdout, stderr } = measured(folder.path());
    let text = String::from_utf8(stdout).unwrap();
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    (text, status.success())
}

fn measured(folder: &Path) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_twyla-shapes"));
    program.args(["--fields", "--schemas"]).arg(folder).output().unwrap()
}

#[test]
fn an_untyped_field_is_counted_with_its_cause_and_place() {
    let (text, kept) = report(&json!({
        "type": "object",
        "properties": {
            "any": { "description": "What the customer says." },
            "list": { "type": "array" },
            "map": { "type": "object" },
            "text": { "type": "string" }
        },
        "required": ["any", "undeclared"]
    }));
    assert!(!kept, "{text}");
    for line in [
        "fields           5",
        "  Value          3 (60.00 %; bar: <= 1.2 %: MISSED)",
        "  bare maps      1 (20.00 %)",
        "     1  an array without `items`",
        "     1  any value",
        "          shop::OrderPlaced.any: ::serde_json::Value (schemas/events/shop/order_placed.json:3:5)",
        "     1  required, and declared nowhere",
        "     1  an object that declares nothing",
    ] {
        assert!(text.lines().any(|it| it == line), "{line:?} in\n{text}");
    }
}

#[test]
fn typed_fields_keep_every_bar() {
    let inner = json!({ "type": "object", "properties": { "text": { "type": "string" } } });
    let (text, kept) = report(&json!({ "type": "object", "properties": { "a": inner, "b": { "type": "integer" } } }));
    assert!(kept, "{text}");
    assert!(text.contains("types            3: 3 structs, 0 enums of words"), "{text}");
}

#[test]
fn the_made_schemas_keep_the_bars() {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_twyla-shapes")).arg("--fields").output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{text}{}", String::from_utf8_lossy(&stderr));
    assert!(text.starts_with("events           100\n"), "{text}");
}

#[test]
fn a_folder_that_does_not_compile_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("context.json"), "{ \"type\": 7 }").unwrap();
    let output = measured(folder.path());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("context.json:1:11"), "{output:?}");
}
