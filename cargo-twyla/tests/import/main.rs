//! `cargo twyla import`: loose schema files, and what schemars writes of Rust types, become a schemas folder that compiles.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod versions;

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
    assert_eq!(said, "error: schemas/context.json and 5 more files already exist; pass --force to overwrite them\n");
    assert_eq!(code, 2);
    assert_eq!(import(folder.path(), &["old", "--force"]).1, 0);
    let dry = import(folder.path(), &["old", "--into", "elsewhere", "--dry-run"]);
    let end = "2 events, ready to compile: each contract accepts exactly what its file accepted, if it were not for --dry-run\n";
    assert!(dry.0.ends_with(end), "{}", dry.0);
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

/// What is said in the last lines, without where each file goes.
fn end(said: &str) -> String {
    said.lines().filter(|line| !line.contains(" → ")).collect::<Vec<_>>().join("\n")
}

fn read(folder: &TempDir, path: &str) -> serde_json::Value {
    let text = fs::read_to_string(folder.path().join("schemas").join(path)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What another command says of the folder that was made.
fn twyla(folder: &TempDir, args: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = command.arg("twyla").args(args).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said, output.status.code().unwrap())
}

const PROVEN: &str = "ready to compile: each contract accepts exactly what its file accepted";

/// A file that can't be imported stops itself and what refers to it, and nothing else.
#[test]
fn one_bad_file_stops_only_what_refers_to_it() {
    let folder = folder(&[
        ("old/one.json", r#"{ "type": "object" }"#),
        ("old/a/two.json", r#"{ "type": "object", "properties": { "x": { "$ref": "../shared/monney.json" } } }"#),
        ("old/a/three.json", r#"{ "type": "object", "properties": { "x": { "$ref": "../shared/bad.json" } } }"#),
        ("old/a/four.json", r#"{ "type": "object", "properties": { "x": { "$ref": "part.json" } } }"#),
        ("old/a/part.json", r#"{ "type": "sting" }"#),
        ("old/a/good.json", r#"{ "type": "object", "properties": { "x": { "$ref": "../shared/money.json" } } }"#),
        ("old/shared/money.json", r#"{ "type": "number" }"#),
        ("old/shared/bad.json", "{ \"type\": "),
        ("old/shared/package.json", r#"{ "name": "x", "version": "1" }"#),
        ("old/b/Two-Words.json", "{}"),
        ("old/b/two_words.json", "{}"),
        ("old/README.md", "no schema"),
        ("old/LICENSE", "no schema"),
    ]);
    fs::write(folder.path().join("old/shared/wide.json"), b"\xff\xfe{\0}\0").unwrap();
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("left", format!("{said}{}", written(&folder.path().join("schemas"))));
    assert_eq!(code, 1);
    assert_eq!(
        import(folder.path(), &["nowhere"]).0,
        "error: nowhere can't be read: No such file or directory (os error 2)\n"
    );
}

/// Where nothing is left that could be imported, nothing is written.
#[test]
fn a_file_that_can_not_be_imported_at_all_is_an_error() {
    let folder = folder(&[
        ("old/api/one.json", r#"{ "type": "object", "properties": { "a": { "type": "sting" } } }"#),
        (
            "old/api/two.json",
            r#"{ "type": "object", "properties": { "a": { "$ref": "https://example.com/a.json" } } }"#,
        ),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("uncompilable", said);
    assert_eq!(code, 2);
    assert!(!folder.path().join("schemas").exists());
}

#[test]
fn yaml_is_read_as_json_is() {
    let folder = folder(&[
        (
            "old/shop/paid.yaml",
            "# a comment\n$schema: http://json-schema.org/draft-07/schema#\ntype: object\nproperties:\n  sum: { $ref: ../types/money.yml }\n  of: { type: string, pattern: '^[a-z]+$' }\nrequired: [sum]\n",
        ),
        ("old/types/money.yml", "type: number\nminimum: 0.50\n"),
        ("old/shop/broken.yaml", "type: [object\n"),
        ("old/ci.yaml", "steps:\n  - run: make\n"),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("yaml", format!("{said}{}", written(&folder.path().join("schemas"))));
    assert_eq!(code, 1);
}

#[test]
fn files_of_one_name_are_distinguished_by_their_folders() {
    let refers = r#"{ "type": "object", "properties": { "of": { "$ref": "kind.json" } } }"#;
    let folder = folder(&[
        ("old/a/x/sent.json", refers),
        ("old/a/x/kind.json", r#"{ "enum": ["a"] }"#),
        ("old/b/x/sent.json", refers),
        ("old/b/x/kind.json", r#"{ "enum": ["b"] }"#),
        ("old/c/sent.json", refers),
        ("old/c/kind.json", r#"{ "enum": ["c"] }"#),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    assert!(said.ends_with(&format!("3 events, {PROVEN}\n")), "{said}");
    assert_eq!(code, 0);
    for (event, word) in [("a_x/sent", "a"), ("b_x/sent", "b"), ("c/sent", "c")] {
        let reference =
            read(&folder, &format!("events/{event}.json"))["properties"]["of"]["$ref"].as_str().unwrap().to_owned();
        let kind = read(&folder, reference.trim_start_matches("../../"));
        assert_eq!(kind["enum"][0], word, "{said}");
    }
}

#[test]
fn a_domain_is_for_files_whose_path_names_none() {
    let any = r#"{ "type": "object" }"#;
    let folder = folder(&[
        ("old/a/b.json", any),
        ("old/order.v1.schema.json", any),
        ("old/x.sent.json", any),
        ("old/loose.json", any),
    ]);
    let (said, code) = import(folder.path(), &["old", "--domain", "shop"]);
    assert_eq!(code, 0, "{said}");
    for event in ["a/b", "shop/order", "x/sent", "shop/loose"] {
        assert_eq!(read(&folder, &format!("events/{event}.json"))["type"], "object", "{said}");
    }
}

/// A bundle may embed the meta-schema of its draft. What has errors stops only what needs it.
#[test]
fn a_draft_that_a_file_embeds_is_no_reason_to_need_that_file() {
    let bundle = r##"{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": { "a": { "$ref": "#/definitions/gone" } },
        "definitions": { "meta": { "$id": "http://json-schema.org/draft-07/schema#", "type": ["object", "boolean"] } } }"##;
    let other = r#"{ "$schema": "http://json-schema.org/draft-07/schema", "type": "object" }"#;
    let folder = folder(&[("old/shop/bundle.json", bundle), ("old/shop/other.json", other)]);
    let (said, _) = import(folder.path(), &["old"]);
    assert!(
        said.contains("left out: shop/bundle.json:1:98: #/definitions/gone doesn't refer to any of the files"),
        "{said}"
    );
    assert!(said.ends_with(&format!("1 event, {PROVEN}; 1 file was left out\n")), "{said}");
}

#[test]
fn what_stands_outside_of_an_id_is_not_found_within_and_the_id_is_named() {
    let inner = r##"{ "$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://example.com/paid.json", "type": "object",
        "properties": { "a": { "$id": "inner.json", "items": { "$ref": "#/definitions/word" } } }, "definitions": { "word": { "type": "string" } } }"##;
    let folder = folder(&[("old/shop/paid.json", inner), ("old/shop/sent.json", r#"{ "type": "object" }"#)]);
    let (said, _) = import(folder.path(), &["old"]);
    assert!(
        said.contains(
            "left out: shop/paid.json:2:64: #/definitions/word doesn't exist below the enclosing `$id` https://example.com/inner.json, but elsewhere in the file: remove the `$id`, or write the file's own `$id` before the `#`"
        ),
        "{said}"
    );
}

#[test]
fn definitions_without_an_event_are_refused_with_a_way_on() {
    let folder = folder(&[("old/words.json", r#"{ "definitions": { "word": { "type": "string" } } }"#)]);
    let (said, code) = import(folder.path(), &["old", "--domain", "shop"]);
    assert_eq!(
        said,
        "error: words.json: has only definitions, and no other file is an event: add one that refers to them, as \
         <domain>/<event_type>.json with { \"$ref\": … }\n"
    );
    assert_eq!(code, 2);
}

/// The draft that is built in is as good as any file's copy of it.
#[test]
fn a_reference_to_a_draft_needs_no_file_that_embeds_it() {
    let bundle = r##"{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": { "a": { "$ref": "#/definitions/gone" } },
        "definitions": { "meta": { "$id": "http://json-schema.org/draft-07/schema#", "type": ["object", "boolean"] } } }"##;
    let other =
        r#"{ "type": "object", "properties": { "schema": { "$ref": "http://json-schema.org/draft-07/schema#" } } }"#;
    let folder = folder(&[("old/shop/bundle.json", bundle), ("old/shop/other.json", other)]);
    let (said, _) = import(folder.path(), &["old"]);
    assert!(said.ends_with(&format!("1 event, {PROVEN}; 1 file was left out\n")), "{said}");
}

/// Draft 7 has no format `uuid`: as a schema of 2020-12 the definition would refuse what it took.
#[test]
fn a_definition_that_moves_keeps_its_draft_and_its_references() {
    let event = r##"{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": { "key": { "$ref": "#/definitions/Key" }, "own": { "type": "null" } },
        "definitions": { "Key": { "$id": "https://example.com/keys/key.json", "type": "object", "properties": {
            "id": { "type": "string", "format": "uuid" }, "kind": { "$ref": "#/definitions/Kind" }, "sum": { "$ref": "../types/money.json" } },
            "definitions": { "Kind": { "type": "string", "maxLength": 3 } } } } }"##;
    let newer = r##"{ "$schema": "https://json-schema.org/draft/2019-09/schema", "type": "object", "properties": { "key": { "$ref": "#/definitions/Key" } },
        "definitions": { "Key": { "type": "object", "properties": { "id": { "type": "string", "format": "uuid" } } } } }"##;
    let money = r#"{ "$id": "https://example.com/types/money.json", "type": "number" }"#;
    let folder = folder(&[
        ("old/shop/paid.json", event),
        ("old/shop/sent.json", &event.replace("null", "string")),
        ("old/types/money.json", money),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("moved", format!("{said}{}", written(&folder.path().join("schemas"))));
    assert_eq!(code, 0);
    // a definition of another draft is another one, whatever its text
    let plain = r#"{ "type": "object", "properties": { "id": { "type": "string", "format": "uuid" } } }"#;
    let older = format!(
        r##"{{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {{ "key": {{ "$ref": "#/definitions/Key" }} }}, "definitions": {{ "Key": {plain} }} }}"##
    );
    let two = self::folder(&[("old/shop/paid.json", &older), ("old/shop/sent.json", newer)]);
    let (said, code) = import(two.path(), &["old"]);
    assert!(said.ends_with(&format!("2 events, {PROVEN}\n")), "{said}");
    assert_eq!(code, 0);
    assert!(!two.path().join("schemas/shared").exists(), "{said}");
}

#[test]
fn a_definition_that_another_file_refers_to_moves_alone() {
    let order = r##"{ "type": "object", "properties": { "line": { "$ref": "#/$defs/Line" } },
        "$defs": { "Line": { "type": "object", "properties": { "sum": { "$ref": "#/$defs/Sum" } } }, "Sum": { "type": "number" }, "Own": { "type": "null" } } }"##;
    let folder = folder(&[
        ("old/shop/order.json", order),
        (
            "old/shop/sent.json",
            r#"{ "type": "object", "properties": { "line": { "$ref": "order.json#/$defs/Line" }, "whole": { "$ref": "paid.json" } } }"#,
        ),
        ("old/shop/paid.json", r#"{ "type": "object", "properties": { "sum": { "$ref": "order.json#/$defs/Sum" } } }"#),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    insta::assert_snapshot!("alone", format!("{said}{}", written(&folder.path().join("schemas"))));
    assert_eq!(code, 0);
}

#[test]
fn a_name_stays_where_a_schema_is_written_in_it() {
    let folder = folder(&[
        (
            "old/meta/dialect.json",
            r#"{ "$id": "https://example.com/meta/v1", "$schema": "http://json-schema.org/draft-07/schema#", "type": "object" }"#,
        ),
        (
            "old/shop/paid.json",
            r#"{ "$schema": "https://example.com/meta/v1", "$id": "https://example.com/paid", "type": "object", "properties": { "id": { "type": "string", "format": "uuid" } } }"#,
        ),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    assert_eq!(code, 0, "{said}");
    let (meta, paid) = (read(&folder, "shared/dialect.json"), read(&folder, "events/shop/paid.json"));
    assert_eq!((&meta["$id"], paid.get("$id")), (&serde_json::json!("https://example.com/meta/v1"), None));
}

#[test]
fn nothing_is_asked_for_that_a_bundle_embeds() {
    let bundle = |kind: &str| {
        format!(
            r##"{{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/bundle", "type": "object",
                "properties": {{ "sum": {{ "$ref": "https://example.com/money" }}, "half": {{ "$ref": "money#half" }}, "part": {{ "$ref": "#/$defs/part" }} }},
                "$defs": {{ "m": {{ "$id": "https://example.com/money", "type": "{kind}", "$defs": {{ "half": {{ "$anchor": "half", "type": "{kind}" }} }} }}, "part": {{ "const": "{kind}" }} }} }}"##
        )
    };
    let folder = folder(&[("old/shop/paid.json", &bundle("number")), ("old/shop/sent.json", &bundle("string"))]);
    let (said, code) = import(folder.path(), &["old"]);
    let empty = "note: no file describes the context that every event carries: an empty context.json was created";
    assert_eq!(end(&said), format!("{empty}\n2 events, {PROVEN}"));
    assert_eq!(code, 0);
}

#[test]
fn a_dialect_and_documents_are_written_to_the_settings_of_the_folder() {
    let folder = folder(&[
        (
            "old/shop/paid.json",
            r#"{ "$schema": "https://example.com/meta", "type": "object", "properties": { "sum": { "$ref": "https://example.com/money" } } }"#,
        ),
        (
            "old/shop/sent.json",
            r#"{ "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#", "self": { "vendor": "x" }, "type": "object", "properties": { "a": { "minimum": 0, "exclusiveMinimum": true } } }"#,
        ),
        ("vendor/money.json", r#"{ "type": "number" }"#),
    ]);
    let unset = import(folder.path(), &["old"]).0;
    assert!(
        unset.contains("left out: shop/paid.json:1:3: `https://example.com/meta` isn't the URI of a known draft"),
        "{unset}"
    );
    assert!(unset.contains(&format!("1 event, {PROVEN}; 1 file was left out")), "{unset}");
    let set = [
        "old",
        "--force",
        "--dialect",
        "https://example.com/meta=7",
        "--document",
        "https://example.com/money=vendor/money.json",
    ];
    let (said, code) = import(folder.path(), &set);
    assert_eq!(code, 0, "{said}");
    let want = serde_json::json!({ "dialects": { "https://example.com/meta": "7" }, "documents": { "https://example.com/money": "../vendor/money.json" } });
    assert_eq!(read(&folder, "twyla.json"), want);
    // so that every command reads it
    assert_eq!(twyla(&folder, &["explain", "shop.paid"]).1, 0, "{}", twyla(&folder, &["explain", "shop.paid"]).0);
}

#[test]
fn an_asyncapi_document_may_be_yaml() {
    let document = "asyncapi: 3.0.0\nchannels:\n  paid:\n    messages:\n      paid:\n        name: shop.paid\n        payload:\n          type: object\n          properties: { sum: { type: number } }\n";
    let folder = folder(&[("asyncapi.yaml", document)]);
    let (said, code) = import(folder.path(), &["asyncapi.yaml"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(read(&folder, "events/shop/paid.json")["properties"]["sum"]["type"], "number");
}
