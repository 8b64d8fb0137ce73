//! Contracts by themselves: what is in a bundle, what its digest depends on, and that it is read as it was written.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use twyla_build::compare::{self, Bundle, ContractKind, Mode, SchemaPath, Sources, Validity};
use twyla_build::{Builder, Draft};

fn contracts(name: &str, files: &[(&str, &str)]) -> Sources {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bundles").join(name);
    let _ = fs::remove_dir_all(&root);
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = Builder::new(&root).shown_as("schemas").contracts().unwrap();
    let _ = fs::remove_dir_all(&root);
    found
}

fn schema(text: &str) -> Bundle {
    Bundle::schema(text, Draft::default()).unwrap()
}

#[test]
fn a_contract_has_what_it_reaches_and_no_more() {
    let found = contracts(
        "reaches",
        &[
            ("context.json", r#"{ "type": "object" }"#),
            (
                "events/api/one.json",
                r#"{ "type": "object", "title": "One",
                     "properties": { "sum": { "$ref": "../../shared/money.json#/$defs/sum" }, "title": { "type": "string" } } }"#,
            ),
            (
                "shared/money.json",
                r##"{ "$defs": { "sum": { "type": "number", "maximum": 1.50e1, "description": "how much" },
                     "other": { "$ref": "more.json" } } }"##,
            ),
            ("shared/more.json", "{}"),
        ],
    );
    let names: Vec<_> = found.contracts.iter().map(|it| (it.kind, it.name.as_str())).collect();
    assert_eq!(names, [(ContractKind::Context, "context"), (ContractKind::Event, "api.one")]);
    let one = found.contract(ContractKind::Event, "api.one").unwrap();
    assert_eq!(one.place.to_string(), "schemas/events/api/one.json:1:1");
    assert_eq!(
        one.bundle.to_string(),
        r#"{"draft":"2020-12","formats":true,"root":"events/api/one.json","documents":{"#.to_owned()
            + r#""events/api/one.json":{"properties":{"sum":{"$ref":"../../shared/money.json#/$defs/sum"},"title":{"type":"string"}},"type":"object"},"#
            + r#""shared/money.json":{"$defs":{"sum":{"maximum":15,"type":"number"}}}}}"#
    );
    let path = SchemaPath { document: "shared/money.json".into(), pointer: "/$defs/sum/maximum".into() };
    assert_eq!(path.to_string(), "shared/money.json#/$defs/sum/maximum");
    let place = found.place(&path).unwrap();
    assert_eq!((place.file.as_str(), place.line, place.column), ("schemas/shared/money.json", 1, 41));
}

#[test]
fn a_bundle_is_read_as_it_was_written() {
    let deep = format!("{}true{}", r#"{"not":"#.repeat(126), "}".repeat(126));
    for text in [
        "true",
        "{}",
        r#"{ "const": 12345678901234567890123456789.5, "enum": [1e300, -0.10, "ü\n"] }"#,
        r##"{ "$defs": { "a": { "$anchor": "x", "type": "string" } }, "$ref": "#x" }"##,
        r##"{ "$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "title": "x",
             "definitions": { "a": { "$id": "https://a/b", "properties": { "c": { "$ref": "#" } } }, "b": false } }"##,
        r##"{ "$id": "https://a/x", "$dynamicAnchor": "n", "properties": { "a": { "$dynamicRef": "#n" } } }"##,
        r##"{ "odd": { "deep": [{ "type": "null", "title": "gone" }] }, "$ref": "#/odd/deep/0" }"##,
        r##"{ "$ref": "https://json-schema.org/draft/2020-12/schema" }"##,
        &deep,
    ] {
        let bundle = schema(text);
        for written in [bundle.to_string(), format!("{bundle:#}")] {
            let read = Bundle::parse(&written).unwrap_or_else(|problems| panic!("{written}: {problems}"));
            assert_eq!(read, bundle, "{written}");
            assert_eq!(read.digest(), bundle.digest());
        }
    }
}

#[test]
fn in_lines_it_can_be_read_by_people() {
    let bundle = schema(
        r#"{ "type": "object", "required": ["a", "b"], "properties": { "a": { "type": "string", "maxLength": 200 },
             "b": { "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 1000000 }, "maxItems": 7 } } }"#,
    );
    let lines = r#"{
  "draft": "2020-12",
  "formats": false,
  "root": "schema.json",
  "documents": {
    "schema.json": {
      "properties": {
        "a": { "maxLength": 200, "type": "string" },
        "b": {
          "items": { "maximum": 1000000, "minimum": 0, "type": "integer" },
          "maxItems": 7,
          "type": "array"
        }
      },
      "required": ["a", "b"],
      "type": "object"
    }
  }
}"#;
    assert_eq!(format!("{bundle:#}"), lines);
}

#[test]
fn only_what_says_something_changes_the_digest() {
    let plain = schema(r#"{ "type": "object", "properties": { "title": { "maximum": 10 } } }"#);
    assert_eq!(plain.digest().len(), 64);
    for same in [
        r#"{ "properties": { "title": { "maximum": 1e1 } }, "type": "object" }"#,
        r#"{ "title": "t", "description": "d", "$comment": "c", "examples": [1], "deprecated": true, "x-owner": "us",
             "type": "object", "properties": { "title": { "maximum": 10.0, "description": "d" } } }"#,
        r#"{ "type": "object", "properties": { "title": { "maximum": 10 } }, "$defs": { "unused": false } }"#,
        r#"{ "type": "object", "properties": { "title": { "maximum": 10 } }, "owner": "us" }"#,
    ] {
        assert_eq!(schema(same).digest(), plain.digest(), "{same}");
    }
    for other in [
        r#"{ "type": "object", "properties": { "title": { "maximum": 10.00000000000000000000001 } } }"#,
        r#"{ "type": "object", "properties": { "title": { "maximum": 10, "default": 1 } } }"#,
        r#"{ "type": "object", "properties": { "Title": { "maximum": 10 } } }"#,
        r#"{ "type": "object", "properties": { "title": { "maximum": 10 }, "description": {} } }"#,
    ] {
        assert_ne!(schema(other).digest(), plain.digest(), "{other}");
    }
    assert_ne!(plain.clone().formats(true).digest(), plain.digest());
    assert_ne!(Bundle::schema("{}", Draft::Draft7).unwrap(), schema("{}"));
    // the value of a constant is not a schema
    assert_ne!(schema(r#"{ "const": { "title": "a" } }"#), schema(r#"{ "const": { "title": "b" } }"#));
    // as `sha256sum` has it of the text
    assert_eq!(schema("{}").digest(), "85b2876706dc171e73262d7b3946c1fdcfea363a6937cc9e35de5dbb8de8d293");
}

#[test]
fn reports_an_invalid_bundle() {
    for (text, said) in [
        ("", "invalid JSON"),
        ("{}", "`draft` or `formats` is missing"),
        (r#"{ "draft": "2020-12", "formats": true }"#, "`root`, the name of a document, is missing"),
        (
            r#"{ "draft": "2020-12", "formats": true, "root": "a", "documents": {} }"#,
            "`documents` doesn't contain the document that `root` names",
        ),
        (
            r##"{ "draft": "7", "formats": true, "root": "a", "documents": { "a": { "$ref": "#/b" } } }"##,
            "`#/b` refers to a schema that doesn't exist",
        ),
    ] {
        let problems = Bundle::parse(text).unwrap_err().to_string();
        assert!(problems.contains(said), "{text}: {problems}");
    }
}

#[test]
fn dynamic_references_bring_their_anchors() {
    let found = contracts(
        "dynamic",
        &[
            ("context.json", "{}"),
            (
                "events/a/x.json",
                r##"{ "$id": "https://a/x", "$dynamicAnchor": "n", "$ref": "tree" , "$defs": { "unused": {} } }"##,
            ),
            ("events/a/y.json", r##"{ "$id": "https://a/y", "$dynamicAnchor": "n", "type": "object" }"##),
            (
                "shared/tree.json",
                r##"{ "$id": "https://a/tree", "$defs": { "n": { "$dynamicAnchor": "n" }, "o": false },
                      "properties": { "a": { "$dynamicRef": "#n" } } }"##,
            ),
        ],
    );
    let bundle = &found.contract(ContractKind::Event, "a.x").unwrap().bundle;
    assert_eq!(bundle.documents().collect::<Vec<_>>(), ["events/a/x.json", "shared/tree.json"]);
    let text = bundle.to_string();
    assert!(
        text.contains(r#""n":{"$dynamicAnchor":"n"}"#) && !text.contains("\"o\"") && !text.contains("unused"),
        "{text}"
    );
    assert_eq!(Bundle::parse(&text).unwrap(), *bundle);
}

/// The request of an RPC without its response is a whole contract, although no RPC is.
#[test]
fn one_contract_of_an_rpc_is_read_as_it_was_written() {
    let found = contracts(
        "rpc",
        &[
            ("context.json", r#"{ "type": "object" }"#),
            ("rpc/booking/find/request.json", r#"{ "type": "object", "properties": { "pnr": { "type": "string" } } }"#),
            ("rpc/booking/find/response.json", r#"{ "type": "object" }"#),
        ],
    );
    for kind in [ContractKind::Request, ContractKind::Response] {
        let bundle = &found.contract(kind, "booking.find").unwrap().bundle;
        assert_eq!(Bundle::parse(&bundle.to_string()).unwrap().digest(), bundle.digest());
    }
}

/// Two files that embed a resource of one URI, as bundling tools write them.
#[test]
fn each_event_has_the_resource_that_its_own_file_embeds() {
    let event = |money: &str| {
        format!(
            r##"{{ "$id": "https://a/bundle", "type": "object", "properties": {{ "sum": {{ "$ref": "https://a/money" }}, "of": {{ "$ref": "#/$defs/of" }} }},
              "$defs": {{ "money": {{ "$id": "https://a/money", "type": "{money}" }}, "of": {{ "type": "{money}" }} }} }}"##
        )
    };
    let (ordered, paid) = (event("integer"), event("string"));
    let files = [("context.json", "{}"), ("events/shop/ordered.json", &*ordered), ("events/shop/paid.json", &*paid)];
    let sources = contracts("embedded", &files);
    for (name, good) in [("shop.ordered", json!(1)), ("shop.paid", json!("1"))] {
        let bundle = &sources.contract(ContractKind::Event, name).unwrap().bundle;
        let read = Bundle::parse(&bundle.to_string()).unwrap();
        assert_eq!(read, *bundle);
        for (value, valid) in [(good, true), (json!([]), false)] {
            for property in ["sum", "of"] {
                let value = json!({ property: value });
                let said = compare::validate(bundle, Mode::Subsumption, |it| it.check(&value)).unwrap();
                assert_eq!(said == Validity::Valid, valid, "{name}: {value}");
            }
        }
    }
}

#[test]
fn a_pattern_of_annex_b_is_written_with_the_flag() {
    let pattern = |written: &str| schema(&json!({ "pattern": written }).to_string());
    let loose = pattern(r"^[\w-.]+$");
    assert_eq!(loose, pattern(r"^[\w\-.]+$"));
    assert_eq!(Bundle::parse(&loose.to_string()).unwrap(), loose);
    let valid = |value| compare::validate(&loose, Mode::Subsumption, |it| it.check(&value)).unwrap() == Validity::Valid;
    assert!(valid(json!("a-.")) && !valid(json!("/")));
}
