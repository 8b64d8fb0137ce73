//! Every problem of the catalogue, as it is printed. `UPDATE=1` updates the golden files.

use std::path::PathBuf;
use std::{env, fs};

const CONTEXT: &str = r#"{ "type": "object" }"#;
const EVENT: &str = r#"{ "type": "object", "properties": { "text": { "type": "string" } } }"#;

/// A folder with these files, and with a valid context and event unless they are given.
fn folder(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("problems").join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    let good: [(&str, &[u8]); 2] = [("context.json", CONTEXT.as_bytes()), ("events/api/good.json", EVENT.as_bytes())];
    for (path, text) in good.iter().filter(|(path, _)| !files.iter().any(|(other, _)| other == path)).chain(files) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if *text != b"absent" {
            fs::write(path, text).unwrap();
        }
    }
    root
}

fn report(root: PathBuf) -> String {
    match twyla_build::Builder::new(root).shown_as("schemas").generate() {
        Ok(generated) => generated.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect(),
        Err(problems) => format!("{problems}\n"),
    }
}

/// Each problem's name, its files, and the number of printed lines.
type Case = (&'static str, &'static [(&'static str, &'static [u8])], usize);

const CASES: &[Case] = &[
    ("no_context", &[("context.json", b"absent")], 1),
    ("no_events", &[("events/api/good.json", b"absent")], 1),
    ("bad_event_name", &[("events/api/user input.json", b"{}")], 1),
    ("bad_domain", &[("events/1api/x.json", b"{}")], 1),
    ("reserved_domain", &[("events/shared/x.json", b"{}")], 1),
    ("stray_file", &[("events/x.json", b"{}"), ("other.json", b"{}"), ("notes.txt", b"")], 3),
    ("domains_clash", &[("events/a-b/x.json", b"{}"), ("events/a_b/y.json", b"{}")], 1),
    ("events_clash", &[("events/shop/order-line.json", b"{}"), ("events/shop/order_line.json", b"{}"), ("events/shop/orderLine.json", b"{}"), ("events/a/order-line.json", b"{}")], 2),
    (
        "types_clash",
        &[
            ("events/shop/order.json", br#"{ "type": "object", "properties": { "line": { "type": "object", "properties": { "a": {} } }, "line_item": { "enum": ["a"] } } }"#),
            ("events/shop/order_line.json", br#"{ "type": "object", "properties": { "item": { "type": "object", "properties": { "a": {} } } } }"#),
            ("events/bill/order_line.json", br#"{ "type": "object", "properties": { "item": { "type": "object", "properties": { "a": {} } } } }"#),
        ],
        2,
    ),
    (
        "types_of_one_event",
        &[("events/shop/order.json", br#"{ "type": "object", "properties": { "a": { "type": "object", "properties": { "b_c": { "enum": ["a"] } } }, "a_b": { "type": "object", "properties": { "c": { "enum": ["a"] } } } } }"#)],
        0,
    ),
    (
        "unheld_defaults",
        &[(
            "events/api/x.json",
            br##"{ "type": "object", "properties": {
  "long": { "type": "integer", "default": 1e30 },
  "positive": { "type": "integer", "minimum": 0, "default": 18446744073709551616 },
  "float": { "type": "number", "default": 1e400 },
  "inner": { "type": "object", "properties": { "n": { "type": "integer" } }, "default": { "n": 9223372036854775808 } },
  "items": { "items": { "type": ["integer", "null"] }, "type": "array", "default": [1, null, -1e19] },
  "any": { "default": { "a": [1e999] } },
  "referred": { "$ref": "#/$defs/long" },
  "again": { "$ref": "#/$defs/long" },
  "fine": { "type": "integer", "default": 1e3 }
}, "$defs": { "long": { "type": "integer", "default": -1e30 } } }"##,
        )],
        7,
    ),
    (
        "refused_defaults",
        &[
            (
                "events/api/x.json",
                br##"{ "type": "object", "properties": {
  "word": { "enum": ["udp", "tcp"], "default": "http" },
  "inner": { "type": "object", "properties": { "n": { "type": "integer" } }, "default": { "n": "x" } },
  "items": { "type": "array", "items": { "maxLength": 2, "default": "abc" }, "default": [] },
  "referred": { "$ref": "#/$defs/size", "default": 11 },
  "endless": { "$ref": "#", "default": { "endless": {} } },
  "fine": { "type": "string", "format": "date", "default": "2024-02-29" }
}, "$defs": { "size": { "maximum": 10, "default": 10 } } }"##,
            ),
            ("events/api/old.json", br##"{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": { "a": { "$ref": "#/definitions/a", "maximum": 1, "default": 5 } }, "definitions": { "a": { "maximum": 5 } } }"##),
        ],
        4,
    ),
    ("bad_service", &[("rpc/1api/get/request.json", b"{}")], 1),
    ("rpc_without_request", &[("rpc/a/get/reqest.json", b"{}"), ("rpc/a/get/response.json", b"{}"), ("rpc/a/put/error.json", b"{}")], 3),
    (
        "nearly_an_error",
        &[("rpc/a/get/request.json", b"{}"), ("rpc/a/get/response.json", br#"{ "$ref": "seats.json" }"#), ("rpc/a/get/erorr.json", b"{}"), ("rpc/a/get/seats.json", b"{}")],
        1,
    ),
    (
        "no_json_in_a_request",
        &[
            ("rpc/a/get/request.json", br##"{ "$ref": "../../../shared/x.json#/$defs/a" "##),
            ("rpc/a/get/response.json", br##"{ "$ref": "../../../shared/x.json#/$defs/a" }"##),
            ("shared/x.json", b"{,}"),
        ],
        2,
    ),
    (
        "beside_an_rpc",
        &[
            ("rpc/a/get/request.json", br#"{ "$ref": "../shared.json" }"#),
            ("rpc/a/get/response.json", b"{}"),
            ("rpc/a/get/respons.json", b"{}"),
            ("rpc/a/shared.json", br#"{ "type": "object" }"#),
            ("rpc/a/other.json", br##"{ "$ref": "#/$defs/a", "$defs": { "a": {} } }"##),
            ("rpc/other.json", b"{}"),
        ],
        3,
    ),
    (
        "beside_an_rpc_that_leads_nowhere",
        &[
            ("rpc/a/get/request.json", br##"{ "$ref": "../money.json#/$defs/monney" }"##),
            ("rpc/a/get/response.json", b"{}"),
            ("rpc/a/money.json", br#"{ "$defs": { "money": {} } }"#),
        ],
        1,
    ),
    ("services_clash", &[("rpc/a-b/get/request.json", b"{}"), ("rpc/a-b/get/response.json", b"{}"), ("rpc/a_b/put/request.json", b"{}"), ("rpc/a_b/put/response.json", b"{}")], 1),
    ("methods_clash", &[("rpc/a/get-it/request.json", b"{}"), ("rpc/a/get-it/response.json", b"{}"), ("rpc/a/get_it/request.json", b"{}"), ("rpc/a/get_it/response.json", b"{}")], 1),
    ("idempotent", &[("rpc/a/get/request.json", br#"{ "idempotent": "yes" }"#), ("rpc/a/get/response.json", b"{}")], 1),
    ("idempotent_with_a_prefix", &[("rpc/a/get/request.json", br#"{ "x-idempotent": true }"#), ("rpc/a/get/response.json", b"{}")], 0),
    ("idempotent_misspelt", &[("rpc/a/get/request.json", br#"{ "idempotant": true }"#), ("rpc/a/get/response.json", b"{}")], 1),
    ("idempotent_elsewhere", &[("rpc/a/get/request.json", b"{}"), ("rpc/a/get/response.json", br#"{ "idempotent": true }"#)], 1),
    (
        "no_object_in_an_rpc",
        &[("rpc/a/get/request.json", br#"{ "type": "array" }"#), ("rpc/a/get/response.json", br#"{ "type": "array" }"#), ("rpc/a/get/error.json", b"false")],
        2,
    ),
    ("trailing_comma", &[("shared/x.json", b"{\n  \"type\": \"object\",\n}")], 1),
    ("comment", &[("shared/x.json", b"// no\n{}")], 1),
    ("empty_file", &[("shared/x.json", b"")], 1),
    ("truncated", &[("shared/x.json", b"{ \"type\": ")], 1),
    ("control_character", &[("shared/x.json", b"{ \"title\": \"a\x01b\" }")], 1),
    ("leading_zero", &[("shared/x.json", b"{ \"minimum\": 01 }")], 1),
    ("not_utf8", &[("shared/x.json", b"{\n \"a\": \"\xc3\xa4\xff\" }")], 1),
    ("utf_16", &[("shared/x.json", b"\xff\xfe{\0}\0"), ("shared/y.json", b"\0{\0}")], 2),
    ("byte_order_mark", &[("shared/x.json", b"\xef\xbb\xbf{}")], 1),
    ("duplicate_key", &[("shared/x.json", b"{ \"type\": \"object\",\n  \"type\": \"string\" }")], 1),
    ("big_number", &[("shared/x.json", br#"{ "const": 123456789012345678901234567890 }"#)], 1),
    ("no_schema", &[("shared/x.json", b"[]")], 1),
    ("unknown_draft", &[("shared/x.json", br#"{ "$schema": "http://json-schema.org/draft-07/shema#" }"#), ("shared/y.json", br#"{ "$schema": "x:y" }"#)], 2),
    ("unknown_type", &[("shared/x.json", br#"{ "properties": { "a": { "type": "strnig" }, "b": { "type": ["null", "int"] }, "c": { "type": "date" } } }"#)], 3),
    (
        "unknown_format",
        &[
            ("shared/x.json", br#"{ "properties": { "a": { "format": "date-tme" }, "b": { "format": "our-own-words" } } }"#),
            ("shared/y.json", br#"{ "$schema": "http://json-schema.org/draft-07/schema", "format": "uuid" }"#),
        ],
        2,
    ),
    ("unknown_keyword", &[("shared/x.json", br#"{ "requierd": ["a"], "x-requierd": 1, "propertys": {} }"#)], 2),
    ("wrong_keyword", &[("shared/x.json", br#"{ "minLength": "5", "required": "a", "properties": { "a": 5, "b": { "enum": {} } }, "items": [], "type": 5 }"#)], 6),
    ("bad_pattern", &[("shared/x.json", br#"{ "pattern": "[a-", "patternProperties": { "(": {} } }"#)], 2),
    (
        "pattern_with_its_place",
        &[("shared/x.json", br#"{ "allOf": [{ "pattern": "a(?i)b" }, { "pattern": "^a++$" }, { "pattern": "(?P<n>a)" }, { "pattern": "a)" }] }"#)],
        4,
    ),
    (
        "loose_pattern",
        &[("shared/x.json", br#"{ "allOf": [{ "pattern": "^[\\w-.]+$" }, { "pattern": "{{.*}}" }, { "pattern": "a}" }, { "pattern": "\\Aa" }], "patternProperties": { "a]": {} } }"#)],
        5,
    ),
    ("pattern_beyond", &[("shared/x.json", br#"{ "not": { "pattern": "^(a{1000}){1000}$" }, "patternProperties": { "(?m:^a)": {} } }"#)], 2),
    ("wrong_value_within", &[("shared/x.json", br#"{ "allOf": [{ "items": { "maxLength": -1 } }, 1], "pattern": 5, "required": ["a", "a"], "minItems": 1.5 }"#)], 5),
    ("wrong_value_in_draft_4", &[("shared/x.json", br#"{ "$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": true, "maximum": 1, "exclusiveMaximum": 2, "required": [], "not": true }"#)], 4),
    ("required_undeclared", &[("shared/x.json", br#"{ "properties": { "emission": {} }, "required": ["emision", "other"] }"#)], 2),
    (
        "required_declared_beside",
        &[
            ("shared/a.json", br#"{ "allOf": [{ "$ref": "b.json" }, { "properties": { "a": {} }, "required": ["b", "c"] }] }"#),
            ("shared/b.json", br#"{ "properties": { "b": {} } }"#),
            ("shared/c.json", br##"{ "allOf": [{ "$ref": "#/$defs/more" }, { "$ref": "#/$defs/base" }], "$defs": { "base": { "properties": { "a": {} } }, "more": { "properties": { "b": {} }, "required": ["a"] } } }"##),
            ("shared/d.json", br#"{ "properties": { "a": {} }, "oneOf": [{ "properties": { "b": {} }, "required": ["a"] }, { "properties": { "c": {} }, "required": ["b"] }] }"#),
            ("shared/e.json", br#"{ "if": { "properties": { "a": {} } }, "then": { "properties": { "b": {} }, "required": ["a"] } }"#),
            ("shared/f.json", br#"{ "allOf": [{ "dependentSchemas": { "a": { "properties": { "b": {} } } } }, { "properties": { "a": {} }, "required": ["b"] }] }"#),
            ("shared/g.json", br#"{ "properties": { "a": {} }, "required": ["b"], "dependentSchemas": { "a": { "properties": { "b": {} } } } }"#),
            ("shared/h.json", br#"{ "$schema": "http://json-schema.org/draft-07/schema#", "properties": { "a": {} }, "required": ["b"], "dependencies": { "a": { "properties": { "b": {} } } } }"#),
        ],
        2,
    ),
    ("no_object", &[("events/api/x.json", br#"{ "type": "string" }"#), ("context.json", b"false")], 2),
    ("array_as_content", &[("events/api/x.json", br#"{ "type": "array" }"#), ("events/api/y.json", br#"{ "type": ["array", "null"] }"#)], 2),
    (
        "narrowed_root",
        &[
            ("events/api/x.json", br#"{ "type": ["object", "array"] }"#),
            ("events/api/y.json", br#"{ "oneOf": [{ "type": "array" }, { "type": "object" }] }"#),
            ("events/api/z.json", br#"{ "type": ["object"], "oneOf": [{ "type": "array" }, { "properties": {} }] }"#),
        ],
        2,
    ),
    (
        "only_definitions",
        &[
            ("events/api/x.json", br#"{ "title": "x", "$defs": { "a": { "type": "object" } } }"#),
            ("events/api/y.json", br#"{ "type": "object", "definitions": { "a": {} } }"#),
            ("events/api/z.json", br##"{ "$ref": "#/$defs/a", "$defs": { "a": { "type": "object" } } }"##),
            ("shared/w.json", br#"{ "$defs": { "a": {} } }"#),
        ],
        2,
    ),
    ("repeated_keyword", &[("shared/x.json", br#"{ "propertys": {}, "not": { "propertys": {} } }"#), ("shared/y.json", br#"{ "propertys": {} }"#)], 1),
    ("no_object_behind_reference", &[("events/api/x.json", br##"{ "$ref": "#/$defs/a", "$defs": { "a": { "anyOf": [{ "type": "null" }, { "enum": [1] }] } } }"##)], 1),
    ("duplicate_id", &[("shared/x.json", br#"{ "$id": "https://a/b" }"#), ("shared/y.json", br#"{ "$id": "https://a/b" }"#), ("shared/z.json", br#"{ "$ref": "https://a/b" }"#)], 1),
    ("sensitive", &[("shared/x.json", br#"{ "properties": { "a": { "x-sensitive": "yes" }, "b": { "x-senstive": true }, "c": { "x-other": 1 } } }"#)], 2),
    ("dangling", &[("shared/x.json", br##"{ "$defs": { "address": {} }, "properties": { "a": { "$ref": "#/$defs/adress" }, "b": { "$ref": "#/definitions/address" }, "c": { "$ref": "y.json" }, "d": { "$ref": "../events/api/god.json" }, "e": { "$ref": "good.json" }, "f": { "$ref": "#address" } } }"##)], 6),
    ("leaves_folder", &[("shared/x.json", br#"{ "properties": { "a": { "$ref": "../../secret.json" }, "b": { "$ref": "file:///etc/passwd" } } }"#)], 2),
    ("wants_network", &[("shared/x.json", br#"{ "$ref": "https://example.com/x.json#/a" }"#), ("shared/y.json", br#"{ "$id": "https://example.com/y", "$ref": "x.json" }"#)], 2),
    ("bad_reference", &[("shared/x.json", br#"{ "$id": "urn:a:b", "$ref": "x.json" }"#)], 1),
    ("unknown_vocabulary", &[("shared/meta.json", br#"{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://a/meta", "$vocabulary": { "x:y": true, "x:z": false } }"#), ("shared/x.json", br#"{ "$schema": "https://a/meta" }"#)], 1),
    ("too_deep", &[("shared/x.json", b"{\n \"default\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")], 1),
    ("circular", &[("shared/x.json", br##"{ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "allOf": [{ "$ref": "#/$defs/a" }] }, "c": { "$ref": "#/$defs/c" } } }"##)], 2),
    ("field_renamed", &[("shared/x.json", br#"{ "properties": { "channel-id": {}, "channelId": {} } }"#)], 1),
    ("control_characters", &[("shared/x.json", br##"{ "$ref": "#/a\ncargo::rustc-env=A=B" }"##)], 1),
    ("required_clash", &[("events/api/x.json", br#"{ "properties": { "channel-id": {} }, "required": ["channel_id"] }"#)], 1),
];

#[test]
fn each_problem_is_printed_once_with_its_text() {
    let mut all = String::new();
    let mut wrong = Vec::new();
    for (name, files, lines) in CASES {
        let text = report(folder(name, files));
        if text.lines().count() != *lines {
            wrong.push(format!("{name}: {lines} lines are due:\n{text}"));
        }
        all.push_str(&format!("# {name}\n{text}\n"));
    }
    let golden = "golden/problems.golden";
    if env::var_os("UPDATE").is_some() {
        fs::write(golden, &all).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(fs::read_to_string(golden).unwrap_or_default(), all, "UPDATE=1 accepts");
}

#[test]
fn a_missing_folder_and_a_link() {
    assert!(report(PathBuf::from("nowhere")).starts_with("error: schemas: the schemas folder can't be read: "));
    #[cfg(unix)]
    {
        let root = folder("link", &[]);
        std::os::unix::fs::symlink("/etc/hostname", root.join("shared.json")).unwrap();
        assert!(report(root).contains("schemas/shared.json: the file is a symbolic link"));
    }
}

#[test]
fn deep_and_odd_schemas_do_not_panic() {
    let deep = format!("{}{}", r#"{"items":"#.repeat(5000), "}".repeat(5000));
    let odd = [
        deep.as_str(),
        "null",
        "\"x\"",
        r#"{"$ref":5}"#,
        r#"{"properties":[]}"#,
        r#"{"type":[]}"#,
        r#"{"enum":[]}"#,
        "\u{0}",
    ];
    for (index, text) in odd.into_iter().enumerate() {
        let root = folder(&format!("odd{index}"), &[]);
        fs::write(root.join("events/api/odd.json"), text).unwrap();
        let _ = report(root);
    }
}
