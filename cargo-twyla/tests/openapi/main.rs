//! `cargo twyla openapi` as a user runs it: a document that a validator of OpenAPI accepts, and whose schemas say what the
//! contracts say.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn twyla(args: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = command.arg("twyla").args(args).current_dir(workspace()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn said(args: &[&str]) -> String {
    let (said, error, code) = twyla(args);
    assert_eq!((error.as_str(), code), ("", 0), "{args:?}");
    said
}

fn folder(files: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, schema) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema.to_string()).unwrap();
    }
    folder
}

/// What earlier drafts write otherwise, by references of each kind.
fn old() -> tempfile::TempDir {
    let schema = "http://json-schema.org/draft-04/schema#";
    folder(&[
        ("context.json", json!({ "type": "object" })),
        (
            "rpc/old/ask/request.json",
            json!({
                "$schema": schema,
                "definitions": { "money": { "type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 1000 } },
                "type": "object",
                "properties": {
                    "price": { "$ref": "#/definitions/money", "maximum": 1 },
                    "pair": { "type": "array", "items": [{ "type": "string" }, { "$ref": "#/definitions/money" }], "additionalItems": false },
                    "card": { "type": "string" },
                    "code": { "type": "string", "maxLength": 3, "const": "none of draft 4" },
                    "inner": { "$ref": "#" }
                },
                "dependencies": { "card": ["code"], "code": { "required": ["price"] } },
                "required": ["price"]
            }),
        ),
        (
            "rpc/old/ask/response.json",
            json!({
                "$schema": "https://json-schema.org/draft/2019-09/schema",
                "$id": "https://example.com/tree",
                "type": "object",
                "properties": { "label": { "$ref": "#label" }, "more": { "items": { "$recursiveRef": "#" }, "type": "array" } },
                "$defs": { "label": { "$anchor": "label", "type": "string", "maxLength": 4 } },
                "unevaluatedProperties": false
            }),
        ),
    ])
}

#[test]
fn describes_the_demo_platform() {
    insta::assert_snapshot!("demo", said(&["openapi", "--server", "http://localhost:8080/", "--version", "1.2.0"]));
    // the version comes from the contracts
    let document: Value = serde_json::from_str(&said(&["openapi", "navitaire-api"])).unwrap();
    assert_eq!(document["info"]["version"].as_str().unwrap().len(), 12);
    assert_eq!(document.get("servers"), None);
}

#[test]
fn earlier_drafts_become_the_draft_of_openapi() {
    let folder = old();
    insta::assert_snapshot!("old", said(&["openapi", "--schemas", folder.path().to_str().unwrap(), "--version", "1"]));
}

/// What keeps a contract is valid under its component, and what breaks one rule of it is not.
#[test]
fn the_schemas_say_what_the_contracts_say() {
    let old = old();
    let (mut held, mut refused) = (0, 0);
    for (schemas, service) in [
        ("schemas", "navitaire-api"),
        ("tests/ui/schemas", "desk"),
        ("tests/ui/schemas", "shop"),
        (old.path().to_str().unwrap(), "old"),
    ] {
        let document: Value = serde_json::from_str(&said(&["openapi", service, "--schemas", schemas])).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let operation = &item["post"];
            let json = |it: &Value| it["content"]["application/json"]["schema"].clone();
            let responses = &operation["responses"];
            let method = path.strip_prefix("/rpc/").unwrap();
            for (way, schema) in [
                ("request", json(&operation["requestBody"])),
                ("response", json(&responses["200"])),
                ("error", json(&responses["409"])),
            ] {
                if schema.is_null() {
                    continue;
                }
                let schema = json!({ "allOf": [schema], "components": document["components"] });
                let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
                let validator = options.should_validate_formats(true).build(&schema).unwrap();
                let name = format!("{service}.{method}/{way}");
                for extent in ["--json", "--minimal"] {
                    let event: Value =
                        serde_json::from_str(&said(&["sample", &name, extent, "--schemas", schemas])).unwrap();
                    assert!(validator.is_valid(&event), "{name}: {event}");
                    held += 1;
                }
                for line in said(&["sample", &name, "--invalid", "--json", "--schemas", schemas]).lines() {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert!(!validator.is_valid(&line["event"]), "{name}: {line}");
                    refused += 1;
                }
            }
        }
    }
    assert!(held > 15 && refused > 50, "{held} held, {refused} refused");
}

/// A component's name comes from where its schema stands, and not from what refers to it first.
#[test]
fn components_have_names_of_their_own() {
    // before and after `ask` in the alphabet
    for other in ["add", "zip"] {
        let request = |amount: &str, more: Value| json!({ "type": "object", "properties": { "amount": { "$ref": amount }, "more": more } });
        let (by_pointer, by_anchor) = ("../../../shared/money.json#/$defs/price", "../../../shared/money.json#amount");
        let folder = folder(&[
            ("context.json", json!({})),
            ("shared/money.json", json!({ "$defs": { "price": { "$anchor": "amount", "type": "integer" } } })),
            ("shared/more/price.json", json!({ "type": "string" })),
            ("rpc/shop/ask/request.json", request(by_pointer, json!({ "$ref": "../../../shared/more/price.json" }))),
            ("rpc/shop/ask/response.json", json!({ "type": "object" })),
            (&format!("rpc/shop/{other}/request.json"), request(by_anchor, json!({ "$ref": "../ask/request.json" }))),
            (&format!("rpc/shop/{other}/response.json"), json!({ "$ref": "../ask/response.json" })),
        ]);
        let schemas = folder.path().to_str().unwrap();
        let document: Value = serde_json::from_str(&said(&["openapi", "--schemas", schemas])).unwrap();
        let names: Vec<&String> = document["components"]["schemas"].as_object().unwrap().keys().collect();
        let own = format!("{}Request", if other == "add" { "Add" } else { "Zip" });
        let mut all = vec!["AskRequest", "AskResponse", "BrokenRule", "Context", "Price", "Price2", "Problem", &own];
        all.sort_unstable();
        assert_eq!(names, all);
        assert_eq!(document["components"]["schemas"]["Price"]["type"], "integer");
    }
}

/// A component that stands for two contracts' dynamic references can't lead to both: the second one is refused, whatever is
/// written first.
#[test]
fn reports_a_dynamic_reference_that_leads_elsewhere_for_each_contract() {
    // before and after `tree` in the alphabet
    for other in ["add", "zip"] {
        let tree = json!({
            "$id": "https://example.com/tree",
            "$dynamicAnchor": "node",
            "type": "object",
            "properties": { "children": { "type": "array", "items": { "$dynamicRef": "#node" } } },
        });
        let strict = json!({
            "$id": "https://example.com/strict",
            "$dynamicAnchor": "node",
            "$ref": "https://example.com/tree",
            "unevaluatedProperties": false,
        });
        let folder = folder(&[
            ("context.json", json!({})),
            ("rpc/shop/tree/request.json", tree),
            ("rpc/shop/tree/response.json", json!({ "type": "object" })),
            (&format!("rpc/shop/{other}/request.json"), strict),
            (&format!("rpc/shop/{other}/response.json"), json!({ "type": "object" })),
        ]);
        let (_, error, code) = twyla(&["openapi", "--schemas", folder.path().to_str().unwrap()]);
        assert_eq!(code, 2, "{other}: {error}");
        assert!(
            error.starts_with(&format!("error: shop.{other}/request can't be converted to OpenAPI: ")),
            "{other}: {error}"
        );
    }
}

#[test]
fn reports_a_file_that_can_not_be_written() {
    let refused = |args: &[&str]| {
        let (_, error, code) = twyla(args);
        assert_eq!(code, 2, "{error}");
        error
    };
    assert_eq!(refused(&["openapi", "navitaire"]), "error: navitaire has no RPCs; did you mean navitaire-api?\n");
    assert_eq!(
        refused(&["openapi", "--schemas", "tests/ui/schemas"]),
        "error: there are several services: name one of desk, shop\n"
    );
    let none = folder(&[("context.json", json!({})), ("events/a/b.json", json!({ "type": "object" }))]);
    let none = none.path().to_str().unwrap();
    assert_eq!(
        refused(&["openapi", "--schemas", none]),
        format!("error: {none} has no RPCs: their contracts are in {none}/rpc/<service>/<method>/\n")
    );
}

/// Held to OpenAPI by `openapi-spec-validator` of PyPI, which is installed where it can be, and said where it can't.
#[test]
fn a_validator_of_openapi_accepts_it() {
    let Some(python) = python() else {
        let _ = std::io::stderr().write_all(
            b"NOT HELD TO OPENAPI: no Python with openapi-spec-validator, and none could be installed from PyPI into \
              target/tests/openapi (python3 with venv and pip, and the network, are needed)\n",
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let accepts = |document: &str| {
        let path = folder.path().join("openapi.json");
        fs::write(&path, document).unwrap();
        let program = "import json, sys, openapi_spec_validator as it\nit.validate(json.load(open(sys.argv[1])))";
        let output = Command::new(&python).args(["-c", program]).arg(path).output().unwrap();
        output.status.success().then_some(()).ok_or(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let old = old();
    let demo = said(&["openapi"]);
    assert_eq!(accepts(&demo), Ok(()));
    for (schemas, service) in [("tests/ui/schemas", "desk"), (old.path().to_str().unwrap(), "old")] {
        assert_eq!(accepts(&said(&["openapi", service, "--schemas", schemas])), Ok(()), "{service}");
    }
    // it does look at it
    assert!(accepts(&demo.replace("\"in\": \"header\"", "\"in\": \"hat\"")).is_err());
    assert!(accepts(&demo.replace("#/components/schemas/Booking", "#/components/schemas/Bokking")).is_err());
}

/// A Python that has the validator.
fn python() -> Option<PathBuf> {
    let has = |python: &Path| {
        let output = Command::new(python).args(["-c", "from openapi_spec_validator import validate"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let given = std::env::var("TWYLA_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let folder = workspace().join("target/tests/openapi");
    let own = folder.join("bin/python");
    if let Some(found) = [Path::new(&given), &own].into_iter().find(|it| has(it)) {
        return Some(found.to_owned());
    }
    let made = Command::new(&given).args(["-m", "venv"]).arg(&folder).output().ok()?;
    let args = ["-m", "pip", "install", "--quiet", "openapi-spec-validator>=0.7"];
    let installed = made.status.success().then(|| Command::new(&own).args(args).output().ok()).flatten()?;
    (installed.status.success() && has(&own)).then_some(own)
}
