//! `cargo twyla import`: loose schema files, and what schemars writes of Rust types, become a schemas folder that compiles.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

fn import(folder: &Path, args: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = command.args(["twyla", "import"]).args(args).current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said, output.status.code().unwrap())
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Every file below a folder, with what is in it.
fn written(folder: &Path) -> String {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else {
                let name = entry.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.push(format!("== {name}\n{}", fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    files.sort();
    files.concat()
}

#[test]
fn loose_files_become_contracts() {
    let folder = folder(&[
        (
            "old/shop/OrderPlaced.json",
            r##"{ // when a cart is paid
                "$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://example.com/shop/OrderPlaced.json",
                "type": "object", "properties": {
                    "total": { "$ref": "https://example.com/types/money.json" },
                    "lines": { "type": "array", "items": { "$ref": "../types/line.json#/definitions/line" } },
                    "parent": { "$ref": "#" }, "example": { "default": { "$ref": "not a reference" } },
                }, "required": ["total"] }"##,
        ),
        (
            "old/shop.order_cancelled.schema.json",
            r#"{ "type": "object", "properties": { "by": { "$ref": "people/person.json" } } }"#,
        ),
        ("old/people/person.json", r#"{ "type": "object", "properties": { "name": { "type": "string" } } }"#),
        (
            "old/types/money.json",
            r#"{ "$id": "https://example.com/types/money.json", "type": "number", "multipleOf": 0.01 }"#,
        ),
        (
            "old/types/line.json",
            r#"{ "definitions": { "line": { "type": "object", "properties": { "price": { "$ref": "money.json" } } } } }"#,
        ),
        ("old/context.json", r#"{ "type": "object", "properties": { "channel": { "type": "string" } } }"#),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("loose", format!("{said}{}", written(&folder.path().join("schemas"))));
    assert_eq!(code, 0);
    let (said, code) = import(folder.path(), &["old"]);
    assert_eq!(said, "error: schemas/context.json: is there already, and 5 more; say --force to write over it\n");
    assert_eq!(code, 2);
    assert_eq!(import(folder.path(), &["old", "--force"]).1, 0);
    let dry = import(folder.path(), &["old", "--into", "elsewhere", "--dry-run"]);
    assert!(dry.0.ends_with("2 events, ready to compile, if it were not for --dry-run\n"), "{}", dry.0);
    assert!(!folder.path().join("elsewhere").exists());
}

/// As schemars 1 writes it: definitions beside each type, and formats that only Rust knows.
#[test]
fn rust_types_become_contracts() {
    let address = r##""Address": { "type": "object", "properties": { "city": { "type": "string" }, "floor": { "type": ["integer", "null"], "format": "int8" } }, "required": ["city"] }"##;
    let placed = format!(
        r##"{{ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "OrderPlaced", "type": "object",
            "properties": {{ "id": {{ "type": "string", "format": "uuid" }}, "count": {{ "type": "integer", "format": "uint32", "minimum": 0 }},
              "weight": {{ "type": "number", "format": "double" }}, "to": {{ "$ref": "#/$defs/Address" }} }},
            "required": ["id", "count", "to"], "$defs": {{ {address}, "Alone": {{ "type": "null" }} }} }}"##
    );
    let moved = format!(
        r##"{{ "title": "Moved", "type": "object", "properties": {{ "to": {{ "$ref": "#/$defs/Address" }} }}, "$defs": {{ {address} }} }}"##
    );
    let folder = folder(&[("types/order_placed.json", &placed), ("types/customer_moved.json", &moved)]);
    let (said, code) = import(folder.path(), &["types", "--domain", "shop"]);
    insta::assert_snapshot!("schemars", format!("{said}{}", written(&folder.path().join("schemas"))));
    assert_eq!(code, 0);
}

#[test]
fn what_can_not_be_imported_is_told_all_at_once() {
    let folder = folder(&[
        ("old/one.json", r#"{ "type": "object" }"#),
        ("old/a/two.json", r#"{ "type": "object", "properties": { "x": { "$ref": "../shared/monney.json" } } }"#),
        ("old/shared/money.json", r#"{ "type": "number" }"#),
        ("old/b/Two-Words.json", "{}"),
        ("old/b/two_words.json", "{}"),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("problems", said);
    assert_eq!(code, 2);
    assert!(!folder.path().join("schemas").exists());

    fs::write(folder.path().join("old/one.json"), "{ \"type\": ").unwrap();
    let (said, code) = import(folder.path(), &["old"]);
    assert!(said.starts_with("error: one.json: "), "{said}");
    assert_eq!(code, 2);
    assert_eq!(
        import(folder.path(), &["nowhere"]).0,
        "error: nowhere can't be read: No such file or directory (os error 2)\n"
    );
}

/// What is wrong in the schemas themselves is told as a build script tells it, and they are there to be mended.
#[test]
fn what_does_not_compile_is_told_at_its_place() {
    let folder = folder(&[
        ("old/api/one.json", r#"{ "type": "object", "properties": { "a": { "type": "sting" } } }"#),
        (
            "old/api/two.json",
            r#"{ "type": "object", "properties": { "a": { "$ref": "https://example.com/a.json" } } }"#,
        ),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("uncompilable", said);
    assert_eq!(code, 1);
    assert!(folder.path().join("schemas/events/api/one.json").exists());
}
