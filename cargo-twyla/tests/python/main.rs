//! `cargo twyla python`: the package, as it is written. What needs Python and its libraries is in `python_package`.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod python_package;

use std::fs;
use std::path::Path;
use std::process::Command;

const CONTEXT: &str =
    r#"{ "type": "object", "properties": { "channel": { "type": "string" } }, "required": ["channel"] }"#;
/// Everything that has a type in Python, and names that are taken there.
const ORDER: &str = r##"{
  "type": "object",
  "properties": {
    "id": { "type": "string", "format": "uuid" },
    "from": { "type": "string" },
    "json": { "type": ["integer", "null"] },
    "state": { "enum": ["open", "paid", null] },
    "kind": { "const": "order" },
    "total": { "$ref": "../../shared/money.json" },
    "lines": { "type": "array", "items": { "$ref": "#/$defs/line" } },
    "tags": { "type": "object", "additionalProperties": { "type": "string" } },
    "anything": { "anyOf": [{ "type": "string" }, { "type": "integer" }] },
    "größe": { "type": "number" }
  },
  "required": ["id", "from"],
  "$defs": {
    "line": {
      "type": "object",
      "properties": { "amount": { "type": "integer" }, "parts": { "type": "array", "items": { "$ref": "#/$defs/line" } } }
    }
  }
}"##;
const MONEY: &str = r#"{ "type": "object", "properties": { "cents": { "type": "integer" } }, "required": ["cents"] }"#;

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The contracts of a shop.
fn shop(folder: &Path) {
    write(folder, "schemas/context.json", CONTEXT);
    write(folder, "schemas/shared/money.json", MONEY);
    write(folder, "schemas/events/shop/order.json", ORDER);
    write(folder, "schemas/events/shop/any.json", r#"{ "type": "object" }"#);
    write(folder, "schemas/rpc/shop/list/request.json", r#"{ "type": "object" }"#);
    write(folder, "schemas/rpc/shop/list/response.json", r#"{ "type": "array", "items": { "type": "string" } }"#);
}

/// What a command prints, and its exit code.
fn twyla(folder: &Path, args: &[&str]) -> (String, i32) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_cargo-twyla")).arg("twyla").args(args).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (text, output.status.code().unwrap())
}

#[test]
fn a_package_has_a_model_for_each_object() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    let (said, code) = twyla(folder.path(), &["python", "app/shop_contracts"]);
    assert_eq!((&*said, code), ("app/shop_contracts: 5 contracts, 7 models\n", 0));
    let read = |path: &str| fs::read_to_string(folder.path().join("app/shop_contracts").join(path)).unwrap();
    insta::assert_snapshot!("models", read("models.py"));
    insta::assert_snapshot!("contracts", read("contracts.py"));
    // again, over itself
    assert_eq!(twyla(folder.path(), &["python", "app/shop_contracts"]).1, 0);
}

#[test]
fn a_schema_that_holds_itself_in_a_list_beside_its_members_has_a_type() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "schemas/context.json", CONTEXT);
    let node = r##"{ "type": "object", "properties": { "x": { "$ref": "#/$defs/x" } },
        "$defs": { "x": { "type": ["array", "object"], "properties": { "a": {} }, "items": { "$ref": "#/$defs/x" } } } }"##;
    write(folder.path(), "schemas/events/shop/node.json", node);
    let (said, code) = twyla(folder.path(), &["python", "app"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn nothing_of_others_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    write(folder.path(), "mine/__init__.py", "x = 1\n");
    let (said, code) = twyla(folder.path(), &["python", "mine"]);
    assert_eq!(
        (&*said, code),
        ("error: mine is not a package of this command, and is not empty: name another folder\n", 2)
    );
    for name in ["my-contracts", "class", "1st"] {
        let (said, code) = twyla(folder.path(), &["python", name]);
        assert_eq!(code, 2);
        assert!(said.starts_with(&format!("error: {name} is not the name of a Python package: ")), "{said}");
    }
}
