//! Schemas that are made to hurt: each ends in a clear error or in code, in bounded time and memory, on any thread.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fs;
use std::path::PathBuf;

use twyla_build::{Builder, Generated};

/// Compiles a folder with these files, besides a plain context; what is made of it, or what is said.
fn compiled(name: &str, files: &[(&str, String)]) -> Result<Generated, String> {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile").join(name);
    let _ = fs::remove_dir_all(&root);
    for (path, text) in [("context.json", "{}".to_owned())].iter().chain(files) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let made = Builder::new(&root).shown_as("schemas").generate();
    let _ = fs::remove_dir_all(&root);
    if let Ok(made) = &made {
        syn::parse_file(&made.code).unwrap();
    }
    made.map_err(|problems| problems.to_string())
}

fn event(name: &str, text: String) -> Result<Generated, String> {
    compiled(name, &[("events/a/x.json", text)])
}

#[track_caller]
fn refused(made: Result<Generated, String>, said: &str) {
    let error = made.map(|_| ()).unwrap_err();
    assert!(error.contains(said), "{}", error.chars().take(2000).collect::<String>());
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

/// `$defs` a0, a1, ... each made of the name of the next one, and the last that holds any value.
fn chain(count: usize, link: impl Fn(&str) -> String) -> String {
    let links = list(count, |i| format!(r##""a{i}":{}"##, link(&format!("#/$defs/a{}", i + 1))));
    format!(r##"{{"properties":{{"p":{{"$ref":"#/$defs/a0"}}}},"$defs":{{{links},"a{count}":{{}}}}}}"##)
}

#[test]
fn nesting_has_a_limit_that_is_named() {
    let limit = "nested deeper than the limit of 127 levels";
    refused(event("arrays", "[".repeat(10_000)), limit);
    refused(event("defaults", format!(r#"{{"default":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000))), limit);
    refused(event("objects", format!("{}{{}}{}", r#"{"not":"#.repeat(10_000), "}".repeat(10_000))), limit);
    // and what is below it is read
    let made = event("deep", format!(r#"{}{{}}{}"#, r#"{"properties":{"a":"#.repeat(62), "}}".repeat(62)));
    assert!(made.is_ok(), "{made:?}");
}

#[test]
fn large_schemas() {
    let words = " of what this is for".repeat(4);
    let property = |i| format!(r#""p{i}":{{"type":"string","maxLength":9,"description":"{i}{words}"}}"#);
    let large = format!(r#"{{"properties":{{{}}}}}"#, list(40_000, property));
    assert!(large.len() > 5_000_000);
    let made = compiled("five_megabytes", &[("shared/x.json", large), ("events/a/x.json", "{}".to_owned())]);
    assert!(made.is_ok(), "{made:?}");
}

#[test]
fn an_event_of_many_properties() {
    let names = list(5_000, |i| format!(r#""p{i}""#));
    let large = format!(
        r#"{{"type":"object","properties":{{{}}},"required":[{names},"more"],"minProperties":6000}}"#,
        list(5_000, |i| format!(r#""p{i}":{{"type":"string","minLength":1}}"#))
    );
    let made = event("many_properties", large).unwrap();
    assert_eq!(made.contracts.events[0].properties.len(), 5_001);
}

#[test]
fn a_large_default_of_many_properties() {
    let text = "a".repeat(1_000_000);
    let properties = list(1_000, |i| format!(r##""p{i}":{{"$ref":"#/$defs/text"}}"##));
    let schema = |kind: &str, default: &str| {
        format!(
            r##"{{"type":"object","properties":{{{properties}}},"$defs":{{"text":{{{kind}"default":{default}}}}}}}"##
        )
    };
    let made = event("large_default", schema(r#""type":"string","#, &format!(r#""{text}""#))).unwrap();
    assert!(made.code.len() < 10_000_000 && made.code.contains("pub p999:"), "{}", made.code.len());
    let items = list(100_000, |i| i.to_string());
    let made =
        event("large_array", schema(r#""type":"array","items":{"type":"integer"},"#, &format!("[{items}]"))).unwrap();
    assert!(made.code.len() < 10_000_000 && made.code.contains("pub p999:"), "{}", made.code.len());
}

#[test]
fn many_words() {
    let words = list(100_000, |i| format!(r#""word {i}""#));
    let made = event("words", format!(r#"{{"properties":{{"a":{{"enum":[{words}]}}}}}}"#)).unwrap();
    assert!(made.code.contains("word 99999"));
    let values = list(100_000, |i| if i % 2 == 0 { i.to_string() } else { format!("[{i}]") });
    let made = event("values", format!(r#"{{"properties":{{"a":{{"enum":[{values}]}}}}}}"#));
    assert!(made.is_ok());
}

#[test]
fn references_that_lead_on_and_on() {
    let made = event("plain_chain", chain(10_000, |next| format!(r#"{{"$ref":"{next}"}}"#)));
    assert!(made.is_ok(), "{made:?}");
    let made =
        event("chain_of_objects", chain(10_000, |next| format!(r#"{{"properties":{{"x":{{"$ref":"{next}"}}}}}}"#)));
    assert!(made.is_ok() || made.is_err_and(|error| error.contains("limit")));
    let made =
        event("chain_of_arrays", chain(10_000, |next| format!(r#"{{"type":"array","items":{{"$ref":"{next}"}}}}"#)));
    assert!(made.is_ok() || made.is_err_and(|error| error.contains("limit")));
    let made = event("chain_of_not", chain(10_000, |next| format!(r#"{{"not":{{"$ref":"{next}"}}}}"#)));
    assert!(made.is_ok() || made.is_err_and(|error| error.contains("limit")));
}

#[test]
fn references_that_lead_round() {
    let ring = list(10_000, |i| format!(r##""a{i}":{{"$ref":"#/$defs/a{}"}}"##, (i + 1) % 10_000));
    refused(
        event("ring", format!(r##"{{"properties":{{"p":{{"$ref":"#/$defs/a0"}}}},"$defs":{{{ring}}}}}"##)),
        "refers back to itself",
    );
    let rings = list(5_000, |i| {
        format!(r##""a{i}":{{"allOf":[{{"$ref":"#/$defs/a{}"}},{{"$ref":"#/$defs/a0"}}]}}"##, (i + 1) % 5_000)
    });
    refused(event("rings", format!(r#"{{"$defs":{{{rings}}}}}"#)), "refers back to itself");
}

#[test]
fn towers_that_double_with_each_floor() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let floor = |next: &str| format!(r#"{{"{keyword}":[{{"$ref":"{next}"}},{{"$ref":"{next}"}}]}}"#);
        let made = event(&format!("tower_{keyword}"), chain(60, floor));
        assert!(made.is_ok(), "{made:?}");
        let root =
            chain(60, floor).replacen(r#""properties":{"p":"#, r#""allOf":["#, 1).replacen("a0\"}}", "a0\"}]", 1);
        assert!(root.contains(r##"{"allOf":[{"$ref":"#/$defs/a0"}]"##));
        let made = event(&format!("root_tower_{keyword}"), root);
        assert!(made.is_ok(), "{made:?}");
    }
}

#[test]
fn towers_that_grow_tenfold_with_each_floor() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let floor = |next: &str| format!(r#"{{"{keyword}":[{}]}}"#, list(10, |_| format!(r#"{{"$ref":"{next}"}}"#)));
        let made = event(&format!("wide_{keyword}"), chain(60, floor));
        assert!(made.is_ok(), "{made:?}");
        let root =
            chain(60, floor).replacen(r#""properties":{"p":"#, r#""allOf":["#, 1).replacen("a0\"}}", "a0\"}]", 1);
        let made = event(&format!("wide_root_{keyword}"), root);
        assert!(made.is_ok(), "{made:?}");
    }
}

#[test]
fn names_of_all_kinds() {
    let long = "n".repeat(10_000);
    let names = [
        "__proto__",
        "",
        " ",
        "\u{0}",
        "\u{7f}",
        "\n",
        "\"",
        "\\",
        "type",
        "Self",
        "self",
        "crate",
        "extra",
        "🦀",
        "é",
        "e\u{301}",
        "\u{202e}",
        "a-b",
        "a_b",
        "a b",
        "a_b_2",
        "$ref",
        "constructor",
        "r#type",
        "_",
        "__",
        "0",
        "-0",
        &long,
    ];
    let properties: Vec<String> =
        names.iter().map(|name| format!("{}:{{\"type\":\"integer\"}}", serde_json::to_string(name).unwrap())).collect();
    let made = event("names", format!(r#"{{"properties":{{{}}},"required":["", "__proto__"]}}"#, properties.join(",")))
        .unwrap();
    assert!(made.warnings.iter().any(|warning| {
        warning.to_string().ends_with(
            "the property `a b` is the field `a_b_3` in Rust, because `a_b` is already the field `a_b` [renamed-field]",
        )
    }));
    let fields = &made.contracts.events[0].properties;
    let mut distinct: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((fields.len(), distinct.len()), (names.len(), names.len()));
}

#[test]
fn many_names_for_one_field() {
    let properties =
        list(1_000, |i| format!(r#""a{}b":{{"type":"integer"}}"#, if i == 0 { "-".to_owned() } else { "_".repeat(i) }));
    let made = event("one_field", format!(r#"{{"properties":{{{properties}}}}}"#));
    assert!(made.is_ok());
}

#[test]
fn schemas_that_unfold_to_much_more_than_is_written() {
    let leaves = format!(r#"{{"properties":{{{}}}}}"#, list(50_000, |i| format!(r#""a{i}":true"#)));
    let deep = (0..55).fold(leaves, |inner, _| format!(r#"{{"properties":{{"{}":{inner}}}}}"#, "n".repeat(10_000)));
    refused(
        event("deep_long_names", deep),
        "the limit of 33554432 bytes for the JSON Pointers and URIs of all schemas together is exceeded",
    );
    let ids = list(50_000, |i| format!(r#""a{i}":{{"$id":"b{i}"}}"#));
    refused(
        event("long_id", format!(r#"{{"$id":"https://a/{}","$defs":{{{ids}}}}}"#, "x/".repeat(2_000))),
        "the limit of 2048 bytes for a URI is exceeded",
    );
    refused(
        event("long_ids", format!(r#"{{"$id":"https://a/{}","$defs":{{{ids}}}}}"#, "x/".repeat(1_000))),
        "the limit of 33554432 bytes for the JSON Pointers and URIs of all schemas together is exceeded",
    );
}

#[test]
fn reports_many_mistakes_in_little_time() {
    let dangling = list(20_000, |i| format!(r##""a{i}":{{"$ref":"#/$defs/b{i}"}}"##));
    let made = event("dangling", format!(r#"{{"properties":{{}},"$defs":{{{dangling}}}}}"#));
    assert_eq!(made.map(|_| ()).unwrap_err().lines().count(), 20_000);
    let undeclared = list(1_000, |i| format!(r#""b{i}""#));
    let declared = list(1_000, |i| format!(r#""a{i}":{{}}"#));
    let made = event("undeclared", format!(r#"{{"properties":{{{declared}}},"required":[{undeclared}]}}"#));
    assert!(made.is_ok_and(|made| made.warnings.len() == 1_000));
}

#[test]
fn a_thousand_events() {
    let event = |i: usize| {
        format!(
            r##"{{"type":"object","properties":{{"a":{{"$ref":"../../shared/s.json#/$defs/a"}},"b":{{"type":"string","pattern":"^a{i}$"}},
                "c":{{"$ref":"#/$defs/x"}}}},"required":["a"],"$defs":{{"x":{{"properties":{{"y":{{"minimum":1}}}}}}}}}}"##
        )
    };
    let paths: Vec<String> = (0..1_000).map(|i| format!("events/d{}/e{i}.json", i % 10)).collect();
    let mut files: Vec<(&str, String)> = paths.iter().enumerate().map(|(i, path)| (path.as_str(), event(i))).collect();
    files.push(("shared/s.json", r#"{"$defs":{"a":{"type":"string","minLength":1}}}"#.to_owned()));
    let made = compiled("events", &files).unwrap();
    assert_eq!(made.contracts.events.len(), 1_000);
}

#[test]
fn patterns_and_numbers() {
    let (no_pattern, beyond) = (Some("isn't a regular expression"), Some("isn't supported"));
    for (name, pattern, said) in [
        ("open", "(".repeat(50_000), no_pattern),
        ("nested", format!("{}{}", "(".repeat(50_000), ")".repeat(50_000)), beyond),
        ("repeated", "((((a{1000}){1000}){1000}){1000})".to_owned(), beyond),
        ("backtracking", r"^(a+)+\\1$".to_owned(), None),
    ] {
        for (keyword, schema) in [
            ("pattern", format!(r#"{{"properties":{{"a":{{"type":"string","pattern":"{pattern}"}}}}}}"#)),
            ("patternProperties", format!(r#"{{"patternProperties":{{"{pattern}":{{"type":"string"}}}}}}"#)),
        ] {
            let made = event(&format!("{name}_{keyword}"), schema);
            match said {
                None => assert!(made.is_ok(), "{made:?}"),
                Some(said) => {
                    let error = made.map(|_| ()).unwrap_err();
                    assert!(error.contains(said) && error.len() < 1_000, "{error}");
                }
            }
        }
    }
    let digits = "9".repeat(1_000_000);
    let far = event("far", format!(r#"{{"properties":{{"a":{{"type":"integer","maximum":{digits}}}}}}}"#));
    assert!(far.is_ok(), "{far:?}");
    let constant = format!(r#"{{"properties":{{"a":{{"const":{digits}}}}}}}"#);
    refused(event("digits", constant), "can't be read");
    let small =
        event("small", r#"{"properties":{"a":{"type":"number","multipleOf":1e-300,"maximum":1e300}}}"#.to_owned());
    assert!(small.is_ok(), "{small:?}");
}

#[test]
fn many_references_in_one_all_of() {
    let references = list(2_000, |_| r##"{"$ref":"#/$defs/s"}"##.to_owned());
    let schema = format!(
        r##"{{"properties":{{"p":{{"allOf":[{references},{{"$ref":"#/$defs/o"}}]}}}},"$defs":{{"s":{{"type":"object"}},"o":{{"type":"object","properties":{{"x":{{}}}}}}}}}}"##
    );
    assert!(event("many_references", schema).is_ok());
}

#[test]
fn many_narrowings_of_a_wide_union() {
    let properties = list(200, |i| format!(r##""p{i}":{{"allOf":[{{"$ref":"#/$defs/u"}},{{"minProperties":{i}}}]}}"##));
    let (branches, parts) = (list(200, |_| r##"{"$ref":"#/$defs/d"}"##.to_owned()), list(1_500, |_| "{}".to_owned()));
    let schema = format!(
        r##"{{"properties":{{{properties}}},"$defs":{{"u":{{"oneOf":[{branches}]}},"d":{{"type":"object","allOf":[{parts}]}}}}}}"##
    );
    assert!(event("wide_unions", schema).is_ok());
}
