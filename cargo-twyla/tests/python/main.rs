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

/// Alternatives of each kind, and schemas that apply together.
const PAID: &str = r##"{
  "type": "object",
  "properties": {
    "id": { "type": "string" },
    "method": { "$ref": "../../shared/method.json" },
    "refund": { "anyOf": [{ "$ref": "#/$defs/whole" }, { "type": "integer" }, { "type": "null" }] },
    "price": { "allOf": [{ "$ref": "../../shared/money.json" }, { "properties": { "cents": { "minimum": 1 } } }] },
    "payer": {
      "allOf": [
        { "$ref": "#/$defs/person" },
        { "type": "object", "properties": { "iban": { "type": "string" } }, "required": ["iban"] }
      ]
    },
    "note": { "type": "string", "anyOf": [{ "maxLength": 3 }, { "pattern": "^x" }] },
    "sum": { "$ref": "#/$defs/sum" }
  },
  "required": ["id", "method"],
  "$defs": {
    "whole": { "const": "whole" },
    "person": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
    "sum": {
      "oneOf": [
        { "type": "object", "properties": { "value": { "type": "number" } }, "required": ["value"] },
        {
          "type": "object",
          "properties": { "left": { "$ref": "#/$defs/sum" }, "right": { "$ref": "#/$defs/sum" } },
          "required": ["left", "right"]
        }
      ]
    }
  }
}"##;
const METHOD: &str = r#"{
  "oneOf": [
    { "type": "object", "properties": { "kind-of": { "const": "card" }, "number": { "type": "string" } }, "required": ["kind-of", "number"] },
    { "type": "object", "properties": { "kind-of": { "const": "cash" }, "given": { "type": "integer" } }, "required": ["kind-of"] }
  ]
}"#;
/// Members declared beside alternatives.
const MOVED: &str = r#"{
  "type": "object",
  "properties": { "id": { "type": "string" }, "fragile": { "type": "boolean" } },
  "required": ["id"],
  "oneOf": [
    { "properties": { "by": { "const": "ship" }, "port": { "type": "string" } }, "required": ["by", "port"] },
    { "properties": { "by": { "enum": ["truck", "van"] }, "plate": { "type": "string" } }, "required": ["by"] }
  ]
}"#;

/// The contracts of a shop with alternatives.
fn alternatives(folder: &Path) {
    write(folder, "schemas/context.json", CONTEXT);
    write(folder, "schemas/shared/money.json", MONEY);
    write(folder, "schemas/shared/method.json", METHOD);
    write(folder, "schemas/events/shop/paid.json", PAID);
    write(folder, "schemas/events/shop/moved.json", MOVED);
}

#[test]
fn alternatives_are_unions_and_schemas_that_apply_together_one_model() {
    let folder = tempfile::tempdir().unwrap();
    alternatives(folder.path());
    let (said, code) = twyla(folder.path(), &["python", "shop_contracts"]);
    assert_eq!(code, 0, "{said}");
    insta::assert_snapshot!(
        "alternatives",
        fs::read_to_string(folder.path().join("shop_contracts/models.py")).unwrap()
    );
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
        ("error: mine is not empty and was not written by this command: name another folder\n", 2)
    );
    for name in ["my-contracts", "class", "1st"] {
        let (said, code) = twyla(folder.path(), &["python", name]);
        assert_eq!(code, 2);
        assert!(said.starts_with(&format!("error: {name} is not the name of a Python package: ")), "{said}");
    }
}
