//! Dialects, formats, drafts and references: the commands read them as the build does.

use std::fs;

use serde_json::{Value, json};

use crate::{refused, said, twyla};

/// A folder with an event in a dialect of draft 4, in which `exclusiveMinimum` is a boolean.
fn with_dialect(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("schemas");
    fs::create_dir_all(schemas.join("events/shop")).unwrap();
    fs::write(schemas.join("context.json"), "{}").unwrap();
    let event = r#"{ "$schema": "https://example.com/meta", "properties": { "total": { "minimum": 0, "exclusiveMinimum": true } } }"#;
    fs::write(schemas.join("events/shop/paid.json"), event).unwrap();
    if !settings.is_empty() {
        fs::write(schemas.join("twyla.json"), settings).unwrap();
    }
    folder
}

#[test]
fn a_dialect_is_that_of_the_folder_or_of_the_command_line() {
    let (set, unset) = (with_dialect(r#"{ "dialects": { "https://example.com/meta": "4" } }"#), with_dialect(""));
    let (set, unset) = (set.path().join("schemas"), unset.path().join("schemas"));
    let (set, unset) = (set.to_str().unwrap(), unset.to_str().unwrap());
    let asked = ["--schemas", unset, "--dialect", "https://example.com/meta=4"];
    for how in [&["--schemas", set][..], &asked[..]] {
        let run = |value| twyla(&[&["validate", "shop.paid", "-"], how].concat(), value);
        let (said, error, code) = run(r#"{ "total": 0 }"#);
        assert_eq!(code, 1, "{said}{error}");
        assert_eq!(run(r#"{ "total": 1 }"#).2, 0);
        assert_eq!(twyla(&[&["explain", "shop.paid"], how].concat(), "").2, 0);
    }
    assert!(refused(&["explain", "shop.paid", "--schemas", unset]).contains("`--dialect https://example.com/meta=7`"));
}

/// Draft 7 has no format `uuid`.
#[test]
fn formats_and_warnings_are_set_on_the_command_line_as_by_the_builder() {
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("schemas");
    fs::create_dir_all(schemas.join("events/shop")).unwrap();
    fs::write(schemas.join("context.json"), "{}").unwrap();
    let event =
        r#"{ "$schema": "http://json-schema.org/draft-07/schema#", "properties": { "id": { "format": "uuid" } } }"#;
    fs::write(schemas.join("events/shop/paid.json"), event).unwrap();
    let path = schemas.to_str().unwrap();
    let run = |more: &[&str]| {
        twyla(&[&["validate", "shop.paid", "-", "--schemas", path], more].concat(), r#"{ "id": "no" }"#).2
    };
    assert_eq!((run(&[]), run(&["--assert-formats", "uuid,duration"])), (0, 1));
    assert_eq!((run(&["--allow", "unknown-format=uuid"]), run(&["--allow", "unknown"])), (0, 2));
    fs::write(schemas.join("twyla.json"), r#"{ "assert-formats": ["uuid"] }"#).unwrap();
    assert_eq!(run(&[]), 1);
}

#[test]
fn a_content_is_an_object_whatever_its_schema_allows() {
    let folder = tempfile::tempdir().unwrap();
    for (file, schema) in [
        ("context.json", "{}"),
        ("events/a/any.json", "{}"),
        ("events/a/loose.json", r#"{ "minLength": 3, "not": { "type": "object", "required": ["x"] } }"#),
        ("events/a/two.json", r#"{ "type": ["string", "object"], "minLength": 3 }"#),
        ("rpc/s/get/request.json", "{}"),
        ("rpc/s/get/response.json", r#"{ "type": ["string", "object"], "minLength": 3 }"#),
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema).unwrap();
    }
    let schemas = ["--schemas", folder.path().to_str().unwrap()];
    for name in ["context", "a.any", "a.loose", "a.two", "s.get/request"] {
        let sample = said(&[&["sample", name][..], &schemas].concat());
        assert!(serde_json::from_str::<Value>(&sample).unwrap().is_object(), "{name}: {sample}");
        let (output, _, code) = twyla(&[&["validate", name, "-"][..], &schemas].concat(), "\"some text\"");
        assert_eq!(code, 1, "{name}: {output}");
        assert!(output.contains("(root): expected an object, found the string \"some text\""), "{name}: {output}");
    }
    assert_eq!(twyla(&[&["validate", "s.get/response", "-"][..], &schemas].concat(), "\"some text\"").2, 0);
}

#[test]
fn values_are_checked_with_the_meta_schemas_that_the_build_knows() {
    let folder = tempfile::tempdir().unwrap();
    let draft7 = r##"{
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {
            "schema": { "$ref": "http://json-schema.org/draft-07/schema#" },
            "file": { "contentEncoding": "base64", "contentMediaType": "application/json" }
        }
    }"##;
    for (file, schema) in [("context.json", "{}"), ("events/a/x.json", draft7)] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema).unwrap();
    }
    let schemas = ["--schemas", folder.path().to_str().unwrap()];
    let run = |value| twyla(&[&["validate", "a.x", "-"][..], &schemas].concat(), value);
    // what these keywords say of a text is for who reads it: no service refuses one for it
    assert_eq!(run(r#"{ "schema": { "type": "object" }, "file": "%" }"#).2, 0);
    assert_eq!(run(r#"{ "schema": { "type": "objekt" } }"#).2, 1);
}

/// What is said of an event, and made of it, is the same whether the name of one that refers to it comes before or after.
#[test]
fn an_event_is_the_same_whatever_refers_to_it() {
    let said_of = |other: &str| {
        let folder = tempfile::tempdir().unwrap();
        let schemas = folder.path().join("schemas");
        let point = r#"{
            "type": "object",
            "description": "A point.",
            "properties": {
                "x": { "type": "integer", "default": 3 },
                "y": { "type": "integer" },
                "secret": { "type": "string", "x-sensitive": true, "minLength": 2 },
                "next": { "$ref": "point.json" }
            },
            "not": { "required": ["x", "y"] }
        }"#;
        let refers = r#"{ "properties": { "at": { "$ref": "point.json" } } }"#;
        let other = format!("events/a/{other}.json");
        for (file, schema) in [("context.json", "{}"), ("events/a/point.json", point), (&other, refers)] {
            let path = schemas.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, schema).unwrap();
        }
        let path = schemas.to_str().unwrap();
        let all =
            [&["explain", "--json"][..], &["sample"], &["sample", "--minimal"], &["sample", "--invalid", "--json"]];
        let said = all.map(|args| said(&[args, &["a.point", "--schemas", path]].concat()).replace(path, "schemas"));
        let refused = twyla(&["validate", "a.point", "-", "--schemas", path], r#"{ "x": 1, "y": 2 }"#).0;
        (said, refused.replace(path, "schemas"))
    };
    let (before, after) = (said_of("first"), said_of("whole"));
    assert_eq!(before, after);
    assert!(before.0[0].contains("`not`"), "{}", before.0[0]);
}

/// What the build takes, the command line takes: each pattern with a text that it matches and one that it doesn't.
#[test]
fn patterns_and_references_are_read_as_the_build_reads_them() {
    let patterns = [
        ("^[]$", None, ""),
        ("^[^]$", Some("\n"), "ab"),
        ("^\\0$", Some("\0"), "0"),
        (r"(?<y>\d{4})-\k<y>", Some("2026-2026"), "2026-2027"),
        (r"^\ud83d\ude00$", Some("\u{1f600}"), "a"),
        (r"^([\t\n\r -\ud7ff\ue000-\ufffd]|[\ud800-\udbff][\udc00-\udfff])*$", Some("a\u{fffd}"), "\u{1}"),
        (r"^(?:(a)|b)*\1$", Some("b"), "c"),
        (r"^\w+(?<!x)$", Some("y"), "x"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let patterned: serde_json::Map<String, Value> = patterns
        .iter()
        .enumerate()
        .map(|(index, (pattern, ..))| (format!("p{index}"), json!({ "type": "string", "pattern": pattern })))
        .collect();
    let references = json!({
        "type": "object",
        "properties": {
            "raw": { "$ref": "#/$defs/List<string>" },
            "escaped": { "$ref": "#/$defs/a~1b" },
            "encoded": { "$ref": "#/$defs/List%3Cstring%3E" },
            "file": { "$ref": "/shared/of<things>.json#/$defs/a~1b" },
        },
        "$defs": { "List<string>": { "type": "string", "minLength": 2 }, "a/b": { "type": "integer", "minimum": 3 } },
    });
    let shared = json!({ "$defs": { "a/b": { "type": "boolean" } } });
    let patterned = json!({ "type": "object", "properties": patterned });
    for (file, schema) in [
        ("context.json", &json!({})),
        ("events/a/patterns.json", &patterned),
        ("events/a/references.json", &references),
        ("rpc/s/get/request.json", &references),
        ("rpc/s/get/response.json", &patterned),
        ("shared/of<things>.json", &shared),
    ] {
        let path = folder.path().join("schemas").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema.to_string()).unwrap();
    }
    let path = folder.path().join("schemas");
    let schemas = ["--schemas", path.to_str().unwrap()];
    let run = |args: &[&str], value: &Value| twyla(&[args, &schemas].concat(), &value.to_string());
    for (index, (pattern, good, bad)) in patterns.iter().enumerate() {
        let name = format!("p{index}");
        if let Some(good) = good {
            let (output, error, code) = run(&["validate", "a.patterns", "-"], &json!({ &name: good }));
            assert_eq!(code, 0, "{pattern}: {output}{error}");
        }
        let (output, error, code) = run(&["validate", "a.patterns", "-"], &json!({ &name: bad }));
        assert_eq!(code, 1, "{pattern}: {output}{error}");
        let rule = format!("doesn't match the pattern {pattern} (pattern, {}/events/a/patterns.json:1:", schemas[1]);
        assert!(output.contains(&rule), "{output}");
    }
    for (value, pointers) in [
        (json!({ "raw": "ab", "escaped": 3, "encoded": "ab", "file": true }), &[][..]),
        (json!({ "raw": "a", "escaped": 2, "encoded": "", "file": 1 }), &["/raw", "/escaped", "/encoded", "/file"]),
    ] {
        let (output, error, code) = run(&["validate", "a.references", "-", "--json"], &value);
        let first: Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
        let mut violations: Vec<&str> =
            first["violations"].as_array().into_iter().flatten().map(|it| it["pointer"].as_str().unwrap()).collect();
        violations.sort_unstable();
        let mut pointers = pointers.to_vec();
        pointers.sort_unstable();
        assert_eq!((violations, code), (pointers, i32::from(value["file"] == 1)), "{error}");
    }
    for name in ["a.patterns", "a.references", "s.get/request", "s.get/response"] {
        let made: Value = serde_json::from_str(&said(&[&["sample", name][..], &schemas].concat())).unwrap();
        let made_of = |it: &str| made.get(it).is_some();
        assert!(made_of("p3") && !made_of("p0") || made_of("raw") && made_of("file"), "{name}: {made}");
        assert_eq!(run(&["validate", name, "-"], &made).2, 0, "{name}: {made}");
        let broken = said(&[&["sample", name, "--invalid", "--json"][..], &schemas].concat());
        assert!(broken.lines().count() > 3, "{broken}");
    }
    let site = folder.path().join("site");
    let (output, error, code) = run(&["docs", "--into", site.to_str().unwrap()], &json!(null));
    assert_eq!(code, 0, "{output}{error}");
    let document: Value = serde_json::from_str(&said(&[&["openapi"][..], &schemas].concat())).unwrap();
    let components = document["components"]["schemas"].as_object().unwrap();
    for keyword in ["minLength", "minimum"] {
        assert!(components.values().any(|it| it.get(keyword).is_some()), "{document:#}");
    }
}
