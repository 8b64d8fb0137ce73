//! `cargo twyla asyncapi`, held to AsyncAPI's own parser, and read back by `cargo twyla import` to the very same contracts.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod python_peer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use twyla_build::{Builder, Draft};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a command prints, and its exit code.
fn twyla(folder: &Path, args: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = command.arg("twyla").args(args).current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said, output.status.code().unwrap())
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Schemas with what AsyncAPI's tools stumble over: draft 4, names of their own, values that look like references.
fn odd() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (
                "schemas/context.json",
                r#"{ "type": "object", "properties": { "a/b": { "$ref": "./shared/it~s.json#/properties/a~1b" } } }"#,
            ),
            (
                "schemas/shared/it~s.json",
                r##"{ "properties": { "a/b": { "type": "string", "x-sensitive": true }, "odd": { "enum": [{ "$ref": "#/nowhere" }] } } }"##,
            ),
            ("schemas/shared/anything.json", "true"),
            (
                "schemas/events/odd/four.json",
                r##"{ "$schema": "http://json-schema.org/draft-04/schema#", "id": "https://example.com/four.json", "type": "object",
                    "properties": { "a": { "type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 9.50, "exclusiveMaximum": false },
                      "self": { "$ref": "#" }, "whole": { "$ref": "https://example.com/four.json" } } }"##,
            ),
            (
                "schemas/events/odd/named.json",
                r##"{ "type": "object", "properties": { "a": { "$ref": "#here", "maxLength": 4 }, "any": { "$ref": "../../shared/anything.json" },
                      "meta": { "$ref": "https://json-schema.org/draft/2020-12/schema" }, "m": { "$ref": "https://example.com/money.json#/$defs/sum" },
                      "tree": { "$id": "urn:tree", "$dynamicAnchor": "node", "type": "object", "properties": { "next": { "$dynamicRef": "#node" } } },
                      "pair": { "prefixItems": [true, { "type": "null" }], "items": false } },
                    "const": { "$ref": "not one" }, "discriminator": { "propertyName": "a" },
                    "patternProperties": { "$ref": { "type": "null" } }, "unevaluatedProperties": false, "$defs": { "x y": { "$anchor": "here", "type": "string" } } }"##,
            ),
            (
                "schemas/events/odd/references.json",
                r##"{ "type": "object", "properties": { "a": { "$ref": "#/properties/$ref/properties/b" }, "$ref": { "type": "object",
                      "properties": { "b": { "type": "string", "maxLength": 3 } } }, "c": { "const": { "$ref": [1] } } },
                    "required": ["$ref"], "dependentRequired": { "$ref": ["a"] }, "additionalProperties": false }"##,
            ),
            ("schemas/rpc/odd/four/request.json", r#"{ "type": "object", "idempotent": true }"#),
            ("schemas/rpc/odd/four/response.json", r#"{ "$ref": "../../../shared/it~s.json" }"#),
            ("money.json", r#"{ "$defs": { "sum": { "type": "number", "multipleOf": 0.010 } } }"#),
        ],
    );
    folder
}

const MONEY: &str = "https://example.com/money.json=money.json";

/// The contracts of a folder: what each is called, and its digest.
fn digests(folder: &Path, money: Option<&Path>) -> Vec<(String, String)> {
    let builder = Builder::new(folder).default_draft(Draft::default());
    let builder = match money {
        Some(file) => builder.document("https://example.com/money.json", file),
        None => builder,
    };
    let sources = builder.contracts().unwrap_or_else(|problems| panic!("{problems}"));
    let of = |it: &twyla_build::compare::ContractSchema| (format!("{:?} {}", it.kind, it.name), it.bundle.digest());
    sources.contracts.iter().map(of).collect()
}

/// Every folder of contracts in the repository.
fn folders() -> Vec<PathBuf> {
    let golden = fs::read_dir(workspace().join("tests/golden/schemas")).unwrap().map(|it| it.unwrap().path());
    let mut folders: Vec<PathBuf> = golden.collect();
    folders.extend(
        ["schemas", "benches/schemas", "tests/ui/schemas", "tests/marks/schemas"].map(|it| workspace().join(it)),
    );
    folders.sort();
    folders
}

#[test]
fn it_is_read_back_to_the_same_contracts() {
    for folder in folders() {
        let here = tempfile::tempdir().unwrap();
        let schemas = folder.canonicalize().unwrap();
        let (said, code) = twyla(here.path(), &["asyncapi", "--schemas", schemas.to_str().unwrap(), "--out", "a.json"]);
        assert_eq!((said.as_str(), code), ("", 0), "{}", folder.display());
        let (said, code) = twyla(here.path(), &["import", "a.json"]);
        assert_eq!(code, 0, "{}: {said}", folder.display());
        let (then, now) = (digests(&schemas, None), digests(&here.path().join("schemas"), None));
        assert!(!then.is_empty());
        assert_eq!(then, now, "{}", folder.display());
    }
}

#[test]
fn it_says_in_which_form_events_are_on_the_wire() {
    let folder = tempfile::tempdir().unwrap();
    let object = r#"{ "type": "object", "properties": { "n": { "type": "integer" } } }"#;
    let files = ["context", "events/a/one", "events/a/two", "events/b/one"];
    for file in files {
        write(folder.path(), &[(&format!("schemas/{file}.json"), object)]);
    }
    let arguments = ["asyncapi", "--wire", "a=cloudevents-structured", "--wire", "a.two=cloudevents-binary"];
    let (said, code) = twyla(folder.path(), &arguments);
    assert_eq!(code, 0, "{said}");
    let document: Value = serde_json::from_str(&said).unwrap();
    let message = |name: &str| &document["components"]["messages"][name];
    let structured = message("a.one");
    assert_eq!(structured["contentType"], "application/cloudevents+json");
    assert_eq!(structured["payload"]["properties"]["type"]["const"], "a.one");
    assert_eq!(structured["payload"]["properties"]["data"]["$ref"], "#/components/schemas/a.one");
    let binary = message("a.two");
    assert_eq!(binary["contentType"], "application/json");
    assert_eq!(binary["headers"]["properties"]["cloudEvents:type"]["const"], "a.two");
    assert_eq!(binary["payload"]["$ref"], "#/components/schemas/a.two");
    assert_eq!(message("b.one")["payload"]["properties"]["event_name"]["const"], "b.one");

    fs::write(folder.path().join("a.json"), &said).unwrap();
    let (said, code) = twyla(folder.path(), &["import", "a.json", "-o", "again"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(digests(&folder.path().join("schemas"), None), digests(&folder.path().join("again"), None));

    let (said, code) = twyla(folder.path(), &["asyncapi", "--wire", "a.three=envelope"]);
    assert!(code != 0 && said.contains("neither an event nor a domain of this name"), "{said}");
    let (said, code) = twyla(folder.path(), &["asyncapi", "--wire", "xml"]);
    assert!(
        code != 0 && said.contains("expected `envelope`, `cloudevents-binary` or `cloudevents-structured`"),
        "{said}"
    );
}

/// Writes the manifest of a service with a card.
fn manifest(folder: &Path, service: &str, uses: &str) {
    write(
        folder,
        &[("service.toml", &format!("name = \"{service}\"\nversion = \"1.2.0\"\nschemas = \"schemas\"\n{uses}"))],
    );
    let out = format!("fleet/{service}.contracts.json");
    let (said, code) = twyla(folder, &["manifest", "--card", "service.toml", "-o", &out]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn it_has_what_the_services_of_a_folder_of_manifests_use() {
    let folder = tempfile::tempdir().unwrap();
    let object = r#"{ "type": "object" }"#;
    let files = [
        "context",
        "events/a/asked",
        "events/a/answered",
        "events/a/unused",
        "rpc/desk/find/request",
        "rpc/desk/find/response",
    ];
    for file in files {
        write(folder.path(), &[(&format!("schemas/{file}.json"), object)]);
    }
    fs::create_dir(folder.path().join("fleet")).unwrap();
    manifest(folder.path(), "shop", "emits = [\"a.asked\"]\ncalls = [\"desk.find\"]\n");
    manifest(
        folder.path(),
        "desk",
        "listens = [{ event = \"a.asked\", group = \"desk\" }]\nemits = [\"a.answered\"]\nserves = [\"desk.find\"]\n",
    );
    let of = |args: &[&str]| {
        let (said, code) = twyla(folder.path(), &[&["asyncapi"], args].concat());
        assert_eq!(code, 0, "{said}");
        let document: Value = serde_json::from_str(&said).unwrap();
        let keys = |of: &str| document[of].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        (keys("channels"), keys("operations"), document["info"].to_string())
    };
    let both = (
        "a.answered a.asked desk.find".to_owned(),
        "desk.emit.a.answered desk.listen.a.asked.desk desk.serve.desk.find shop.call.desk.find shop.emit.a.asked"
            .to_owned(),
        r#"{"title":"Contracts","version":"1.0.0"}"#.to_owned(),
    );
    assert_eq!(of(&["--manifests", "fleet"]), both);
    assert_eq!(of(&["-m", "fleet/shop.contracts.json", "--manifests", "fleet/desk.contracts.json"]), both);
    // with one service, its name goes without saying
    let one = (
        "a.asked desk.find".to_owned(),
        "call.desk.find emit.a.asked".to_owned(),
        r#"{"title":"shop","version":"1.2.0"}"#.to_owned(),
    );
    assert_eq!(of(&["-m", "fleet/shop.contracts.json"]), one);
    let (_, _, info) = of(&["-m", "fleet/shop.contracts.json", "--version", "3.0.0"]);
    assert_eq!(info, r#"{"title":"shop","version":"3.0.0"}"#);
    // one service in two environments, with a version in each
    let shop = fs::read_to_string(folder.path().join("fleet/shop.contracts.json")).unwrap();
    write(folder.path(), &[("all/live/shop.contracts.json", &shop), ("all/test/shop.contracts.json", &shop)]);
    assert_eq!(of(&["-m", "all"]), one);
    write(folder.path(), &[("all/test/shop.contracts.json", &shop.replace("1.2.0", "1.3.0"))]);
    let (_, operations, info) = of(&["-m", "all"]);
    assert_eq!((operations, &*info), (one.1, r#"{"title":"shop","version":"1.0.0"}"#));
    let (said, code) = twyla(folder.path(), &["asyncapi", "--manifests", "schemas"]);
    assert_eq!(
        (said.as_str(), code),
        ("error: schemas has no manifests: no file in it ends with .contracts.json\n", 2)
    );
}

#[test]
fn keywords_that_asyncapi_lacks_are_restored() {
    let folder = odd();
    let here = folder.path();
    let (said, code) = twyla(here, &["asyncapi", "--document", MONEY, "--out", "a.json"]);
    assert_eq!((said.as_str(), code), ("", 0));
    let (said, code) = twyla(here, &["import", "a.json", "--into", "again/schemas", "--document", MONEY]);
    assert_eq!(code, 0, "{said}");
    let money = here.join("again/documents/https___example.com_money.json");
    let money = fs::read_dir(here.join("again/documents")).unwrap().next().map_or(money, |it| it.unwrap().path());
    assert_eq!(
        digests(&here.join("schemas"), Some(&here.join("money.json"))),
        digests(&here.join("again/schemas"), Some(&money)),
        "{said}"
    );
}

/// It would be taken for a reference, and can't be said in another way as a property can.
#[test]
fn a_definition_that_is_called_as_a_reference_is_refused() {
    let folder = odd();
    let defs = r##"{ "properties": { "a": { "$defs": { "$ref": { "type": "string" } } } } }"##;
    write(folder.path(), &[("schemas/events/odd/defs.json", defs)]);
    let (said, code) = twyla(folder.path(), &["asyncapi", "--document", MONEY]);
    assert_eq!(code, 2);
    assert_eq!(
        said,
        "error: the member schemas/events/odd/defs.json#/properties/a/$defs/$ref is named `$ref`, which AsyncAPI's tools take for a reference: give it another name\n"
    );
}

/// Files of the folder and nothing else: a document may be anybody's.
#[test]
fn a_document_writes_nothing_outside() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["../../evil.json", "/tmp/evil.json", "shared/../../evil.json", "shared/evil.txt", "C:evil.json"] {
        let document = serde_json::json!({ "asyncapi": "3.0.0", "x-twyla": {}, "components": { "schemas": { "context": { "x-twyla-file": path } } } });
        fs::write(folder.path().join("a.json"), document.to_string()).unwrap();
        let (said, code) = twyla(folder.path(), &["import", "a.json"]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("names a file outside of the folder"), "{said}");
    }
    for (text, why) in [
        ("{}", "is not an AsyncAPI document"),
        (r#"{ "asyncapi": "2.6.0" }"#, "is an AsyncAPI 2.6.0 document, but only AsyncAPI 3 is read"),
        (r#"{ "asyncapi": "3.0.0" }"#, "has no messages with a payload"),
        (r##"{ "asyncapi": "3.0.0", "channels": { "a": { "$ref": "#/channels/a" } } }"##, "more than 16 references"),
    ] {
        fs::write(folder.path().join("a.json"), text).unwrap();
        let (said, code) = twyla(folder.path(), &["import", "a.json"]);
        assert!(said.contains(why) && code == 2, "{said}");
    }
}

/// As others write them.
#[test]
fn a_document_of_others_becomes_contracts() {
    let folder = tempfile::tempdir().unwrap();
    let document = r##"{ "asyncapi": "3.0.0", "info": { "title": "Lights", "version": "1" },
        "channels": {
          "measured": { "address": "lights/{id}/measured", "messages": { "lightMeasured": { "$ref": "#/components/messages/lightMeasured" } } },
          "orders": { "address": "shop/orders", "messages": { "placed": { "name": "shop.order_placed", "payload": {
            "schemaFormat": "application/schema+json;version=draft-07", "schema": { "type": "object", "properties": { "at": { "$ref": "#/components/schemas/sentAt" } } } } } } } },
        "components": {
          "messages": { "lightMeasured": { "payload": { "$ref": "#/components/schemas/lightMeasuredPayload" } } },
          "schemas": { "sentAt": { "type": "string", "format": "date-time" },
            "lightMeasuredPayload": { "type": "object", "properties": { "lumens": { "type": "integer", "minimum": 0 }, "sentAt": { "$ref": "#/components/schemas/sentAt" } } } } } }"##;
    fs::write(folder.path().join("a.json"), document).unwrap();
    let (said, code) = twyla(folder.path(), &["import", "a.json"]);
    assert_eq!(code, 2);
    assert!(said.ends_with("neither the message nor its channel names a domain: pass --domain\n"), "{said}");
    let (said, code) = twyla(folder.path(), &["import", "a.json", "--domain", "lights"]);
    assert_eq!(code, 0, "{said}");
    let read = |path: &str| fs::read_to_string(folder.path().join("schemas").join(path)).unwrap();
    insta::assert_snapshot!(
        "others",
        format!(
            "{said}{}{}{}",
            read("events/lights/light_measured.json"),
            read("events/shop/order_placed.json"),
            read("shared/light_measured_payload.json")
        )
    );
}

/// Says how AsyncAPI's parser takes each document: nothing where it finds no error in it.
const CHECK: &str = r"
import { Parser } from '@asyncapi/parser';
import fs from 'node:fs';
const found = {};
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, 'utf8'));
  const errors = diagnostics.filter((it) => it.severity === 0).map((it) => `${it.path.join('/')}: ${it.message}`);
  found[file] = { errors, channels: document ? document.channels().all().length : -1, warnings: diagnostics.length };
}
console.log(JSON.stringify(found));
";

#[test]
#[ignore = "needs @asyncapi/parser: cargo xtask test installs it"]
fn the_official_parser_finds_no_error() {
    let parser = std::env::var("TWYLA_TEST_NODE").expect("TWYLA_TEST_NODE names the folder that it is installed in");
    let parser = Path::new(&parser);
    fs::write(parser.join("check.mjs"), CHECK).unwrap();
    let here = odd();
    let write = |args: &[&str]| {
        let (said, code) = twyla(here.path(), &[&["asyncapi"], args].concat());
        assert_eq!((said.as_str(), code), ("", 0));
    };
    let mut files = vec!["odd.json".to_owned()];
    write(&["--document", MONEY, "--out", "odd.json"]);
    for (i, folder) in folders().iter().enumerate() {
        let (file, folder) = (format!("{i}.json"), folder.canonicalize().unwrap());
        write(&["--schemas", folder.to_str().unwrap(), "--out", &file]);
        files.push(file);
    }
    let files = files.iter().map(|file| here.path().join(file));
    let output = Command::new("node").arg("check.mjs").args(files).current_dir(parser).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = found.as_object().unwrap();
    assert_eq!(found.len(), folders().len() + 1);
    for (file, it) in found {
        assert_eq!(it["errors"], serde_json::json!([]), "{file}");
        assert!(it["channels"].as_i64().unwrap() > 0, "{file}: {it}");
    }
}
