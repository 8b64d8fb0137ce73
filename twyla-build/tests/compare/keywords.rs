//! Pairs of schemas, keyword by keyword.

use serde_json::json;
use twyla_build::Draft;
use twyla_build::compare::{Bundle, Checker, Mode, Options, Verdict, compare};

use super::{bundle, said, subsumption};

#[test]
fn single_values() {
    subsumption(
        Draft::Draft202012,
        &[
            ("false", r#"{ "type": "string" }"#, "fits"),
            ("{}", "true", "fits"),
            ("true", "false", "  null"),
            (r#"{ "type": "integer" }"#, r#"{ "type": "number" }"#, "fits"),
            (r#"{ "type": "number" }"#, r#"{ "type": "integer" }"#, " type 0.5"),
            (r#"{ "enum": [1, "a", null] }"#, r#"{ "type": ["integer", "string", "null"] }"#, "fits"),
            (r#"{ "const": 1.0 }"#, r#"{ "const": 1 }"#, "fits"),
            (r#"{ "enum": ["a", "b"] }"#, r#"{ "enum": ["a", "c"] }"#, r#" enum "b""#),
            (r#"{ "const": { "a": [1] } }"#, r#"{ "enum": [{ "a": [1.0] }, 2] }"#, "fits"),
            (r#"{ "type": "integer", "minimum": 3 }"#, r#"{ "exclusiveMinimum": 2 }"#, "fits"),
            (r#"{ "type": "number", "minimum": 3 }"#, r#"{ "exclusiveMinimum": 3 }"#, " exclusiveMinimum 3"),
            (r#"{ "type": "number", "multipleOf": 6 }"#, r#"{ "multipleOf": 1.5 }"#, "fits"),
            (r#"{ "type": "integer", "minimum": 1, "maximum": 3 }"#, r#"{ "enum": [1, 2, 3] }"#, "fits"),
            (r#"{ "type": "integer", "minimum": 1, "maximum": 1e300 }"#, r#"{ "maximum": 1e299 }"#, " maximum 1e+300"),
            (r#"{ "type": "integer" }"#, r#"{ "maximum": 18446744073709551615 }"#, " maximum 1.8446744073709552e+19"),
            (
                r#"{ "type": "number", "minimum": 18446744073709551615 }"#,
                r#"{ "exclusiveMinimum": 18446744073709551615 }"#,
                " exclusiveMinimum 18446744073709551615",
            ),
            (
                r#"{ "type": "number", "minimum": 0, "maximum": 0.1000000000000000000001 }"#,
                r#"{ "maximum": 0.10000000000000002 }"#,
                "fits",
            ),
            (r#"{ "type": "string", "minLength": 2 }"#, r#"{ "minLength": 1 }"#, "fits"),
            (r#"{ "type": "string", "maxLength": 3 }"#, r#"{ "maxLength": 2 }"#, r#" maxLength "aaa""#),
            (r#"{ "type": "string", "pattern": "^[a-c]{2}$" }"#, r#"{ "pattern": "^\\w", "maxLength": 2 }"#, "fits"),
            (r#"{ "type": "string", "pattern": "^a*$" }"#, r#"{ "pattern": "^(aa)*$" }"#, r#" pattern "a""#),
            (r#"{ "type": "string", "pattern": "^(?!x)[xy]$" }"#, r#"{ "const": "y" }"#, "fits"),
            (r#"{ "type": "string", "pattern": "\\bfoo\\b" }"#, r#"{ "pattern": "foo" }"#, "fits"),
            (r#"{ "type": "string" }"#, r#"{ "pattern": "." }"#, r#" pattern """#),
            (r#"{ "type": "string", "format": "date" }"#, r#"{ "type": "string", "format": "ipv4" }"#, "fits"),
        ],
    );
}

#[test]
fn objects() {
    subsumption(
        Draft::Draft202012,
        &[
            (r#"{ "type": "object", "required": ["a", "b"] }"#, r#"{ "required": ["a"] }"#, "fits"),
            (r#"{ "type": "object" }"#, r#"{ "required": ["a"] }"#, " required {}"),
            (
                r#"{ "type": "object", "properties": { "a": { "type": "integer" } } }"#,
                r#"{ "properties": { "a": { "type": "number" } }, "additionalProperties": true }"#,
                "fits",
            ),
            (
                r#"{ "type": "object", "properties": { "a": {} }, "additionalProperties": false }"#,
                r#"{ "properties": { "a": {}, "b": false }, "additionalProperties": false }"#,
                "fits",
            ),
            (
                r#"{ "type": "object", "properties": { "a": {} } }"#,
                r#"{ "properties": { "a": {} }, "additionalProperties": false }"#,
                r#" additionalProperties {"":null}"#,
            ),
            (
                r#"{ "type": "object", "patternProperties": { "^x": { "type": "integer" } }, "additionalProperties": false }"#,
                r#"{ "propertyNames": { "minLength": 1 }, "additionalProperties": { "type": "number" } }"#,
                "fits",
            ),
            (
                r#"{ "type": "object", "patternProperties": { "^x": { "type": "integer" } } }"#,
                r#"{ "patternProperties": { "^xy": { "minimum": 0 } } }"#,
                r#"/xy minimum {"xy":-1}"#,
            ),
            (
                r#"{ "type": "object", "minProperties": 2, "propertyNames": { "enum": ["a", "b"] } }"#,
                r#"{ "required": ["b"] }"#,
                "fits",
            ),
            (r#"{ "type": "object", "maxProperties": 0 }"#, r#"{ "const": {} }"#, "fits"),
            (
                r#"{ "type": "object", "dependentRequired": { "a": ["b"] }, "required": ["a"] }"#,
                r#"{ "required": ["b"] }"#,
                "fits",
            ),
            (
                r#"{ "type": "object", "dependentSchemas": { "a": { "properties": { "b": false } } } }"#,
                r#"{ "not": { "required": ["a", "b"] } }"#,
                "fits",
            ),
        ],
    );
}

#[test]
fn arrays() {
    subsumption(
        Draft::Draft202012,
        &[
            (r#"{ "type": "array", "items": { "type": "integer" } }"#, r#"{ "items": { "type": "number" } }"#, "fits"),
            (r#"{ "type": "array", "minItems": 1 }"#, r#"{ "minItems": 2 }"#, " minItems [null]"),
            (
                r#"{ "type": "array", "prefixItems": [{ "const": 1 }, false] }"#,
                r#"{ "maxItems": 1, "items": { "const": 1 } }"#,
                "fits",
            ),
            (
                r#"{ "type": "array", "minItems": 1, "items": { "const": 1 } }"#,
                r#"{ "contains": { "const": 1 } }"#,
                "fits",
            ),
            (
                r#"{ "type": "array", "contains": { "const": 1 }, "minContains": 2 }"#,
                r#"{ "minItems": 2, "contains": { "type": "integer" } }"#,
                "fits",
            ),
            (
                r#"{ "type": "array", "items": { "type": "integer" }, "maxItems": 2 }"#,
                r#"{ "contains": { "const": 1 }, "minContains": 0, "maxContains": 1 }"#,
                " maxContains [1,1]",
            ),
            (
                r#"{ "type": "array", "uniqueItems": true, "items": { "enum": [1, 2] } }"#,
                r#"{ "maxItems": 2 }"#,
                "fits",
            ),
            (
                r#"{ "type": "array", "uniqueItems": true, "items": { "type": "boolean" }, "minItems": 3 }"#,
                "false",
                "fits",
            ),
            (r#"{ "type": "array", "maxItems": 1 }"#, r#"{ "uniqueItems": true }"#, "fits"),
            (
                r#"{ "type": "array", "items": { "type": "integer" } }"#,
                r#"{ "uniqueItems": true }"#,
                " uniqueItems [0,0]",
            ),
            (
                r#"{ "type": "array", "prefixItems": [{ "const": 1 }, { "const": 2 }], "maxItems": 2 }"#,
                r#"{ "uniqueItems": true }"#,
                "fits",
            ),
        ],
    );
    subsumption(
        Draft::Draft7,
        &[(
            r#"{ "type": "array", "items": [{ "type": "null" }], "additionalItems": false }"#,
            r#"{ "maxItems": 1, "items": { "type": "null" } }"#,
            "fits",
        )],
    );
}

#[test]
fn combinations() {
    subsumption(
        Draft::Draft202012,
        &[
            (r#"{ "type": ["string", "null"] }"#, r#"{ "anyOf": [{ "type": "null" }, { "type": "string" }] }"#, "fits"),
            (r#"{ "type": "string" }"#, r#"{ "oneOf": [{ "maxLength": 2 }, { "minLength": 3 }] }"#, "fits"),
            (r#"{ "type": "string" }"#, r#"{ "oneOf": [{ "maxLength": 3 }, { "minLength": 3 }] }"#, r#" oneOf "aaa""#),
            (
                r#"{ "oneOf": [{ "type": "integer" }, { "minimum": 2, "type": "number" }] }"#,
                r#"{ "anyOf": [{ "maximum": 2 }, { "not": { "type": "integer" } }] }"#,
                "fits",
            ),
            (
                r#"{ "if": { "type": "string" }, "then": { "minLength": 1 }, "else": { "type": "null" } }"#,
                r#"{ "anyOf": [{ "type": "null" }, { "type": "string", "not": { "const": "" } }] }"#,
                "fits",
            ),
            (
                r#"{ "allOf": [{ "minimum": 0 }, { "type": "integer" }], "maximum": 1 }"#,
                r#"{ "enum": [0, 1] }"#,
                "fits",
            ),
            (
                r#"{ "type": "object", "properties": { "a": {} }, "anyOf": [{ "properties": { "b": {} }, "required": ["b"] }, true],
                     "unevaluatedProperties": false }"#,
                r#"{ "propertyNames": { "enum": ["a", "b"] } }"#,
                "fits",
            ),
            (
                r#"{ "type": "array", "prefixItems": [{}], "contains": { "const": 1 }, "unevaluatedItems": false, "minItems": 2 }"#,
                r#"{ "prefixItems": [true, { "const": 1 }] }"#,
                "fits",
            ),
        ],
    );
}

#[test]
fn references_that_lead_back() {
    let list = |item: &str, more: &str| {
        format!(
            r##"{{ "type": "object", "properties": {{ "item": {{ "type": "{item}" }}, "next": {{ "$ref": "#" }} }}{more} }}"##
        )
    };
    let narrow = list("integer", r#", "required": ["item"]"#);
    let wide = list("number", "");
    subsumption(
        Draft::Draft202012,
        &[
            (&narrow, &wide, "fits"),
            (&wide, &narrow, " required {}"),
            // an object that needs one of its own has no end
            (r##"{ "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#" } } }"##, "false", "fits"),
            (
                r##"{ "type": "object", "properties": { "next": { "$ref": "#" } }, "additionalProperties": false }"##,
                r##"{ "properties": { "next": { "$ref": "#/$defs/b" } },
                      "$defs": { "b": { "type": "object", "properties": { "next": { "$ref": "#" } } } } }"##,
                "fits",
            ),
            (
                r##"{ "$id": "https://a/tree", "$dynamicAnchor": "node", "type": "object",
                      "properties": { "children": { "type": "array", "items": { "$dynamicRef": "#node" } } } }"##,
                r##"{ "properties": { "children": { "items": { "type": "object" } } } }"##,
                "fits",
            ),
        ],
    );
}

#[test]
fn drafts_are_compared_with_one_another() {
    let old = bundle(r#"{ "type": "number", "maximum": 5, "exclusiveMaximum": true }"#, Draft::Draft4);
    let new = bundle(r#"{ "type": "number", "exclusiveMaximum": 5 }"#, Draft::Draft202012);
    assert!(compare(&old, &new, &Options::subsumption()).fits());
    assert!(compare(&new, &old, &Options::subsumption()).fits());
    // a keyword that the draft doesn't have says nothing in it
    let unknown = bundle(r#"{ "const": 1 }"#, Draft::Draft4);
    assert!(compare(&bundle("{}", Draft::Draft4), &unknown, &Options::subsumption()).fits());
    assert!(compare(&bundle("{}", Draft::Draft4), &unknown, &Options::default()).fits());
}

#[test]
fn numbers_too_far_to_compare_are_equal_only_in_the_same_role() {
    let small = "1e-99999";
    let least = |exclusive| {
        let text = format!(r#"{{ "type": "number", "minimum": {small}, "exclusiveMinimum": {exclusive} }}"#);
        bundle(&text, Draft::Draft4)
    };
    assert!(!compare(&least(false), &least(true), &Options::subsumption()).fits());
    // nothing but that number is of it
    let only = bundle(&format!(r#"{{ "enum": [{small}] }}"#), Draft::default());
    assert!(!compare(&bundle(r#"{ "type": "string" }"#, Draft::default()), &only, &Options::subsumption()).fits());
    assert!(compare(&only, &bundle(r#"{ "type": "number" }"#, Draft::default()), &Options::subsumption()).fits());
}

#[test]
fn a_list_of_dependencies_is_part_of_a_contract_beside_a_schema_too() {
    let schema = |list: &str| {
        let text =
            format!(r#"{{ "type": "object", "dependencies": {{ "a": {list}, "c": {{ "minProperties": 4 }} }} }}"#);
        bundle(&text, Draft::Draft7)
    };
    assert_ne!(schema(r#"["b"]"#), schema("[]"));
    let verdict = compare(&schema("[]"), &schema(r#"["b"]"#), &Options::subsumption());
    assert!(matches!(verdict, Verdict::Breaks(_)), "{}", said(&verdict));
}

#[test]
fn a_keyword_that_the_draft_lacks_changes_nothing() {
    let keywords = [
        ("example", "7"),
        ("discriminator", r#"{ "propertyName": "kind" }"#),
        ("nullable", "true"),
        ("externalDocs", r#"{ "url": "https://example.com" }"#),
        ("xml", r#"{ "attribute": true }"#),
        ("tsType", r#""Date""#),
        ("enumNames", r#"["one"]"#),
        ("errorMessage", r#""no""#),
        ("markdownDescription", r#""*one*""#),
        ("idempotent", "true"),
        ("prefixItems", r#"[{ "type": "string" }]"#),
        ("unevaluatedProperties", "false"),
    ];
    let schema = |more: &str| {
        let text = format!(r#"{{ "type": "object", "properties": {{ "a": {{ "type": "array"{more} }} }}{more} }}"#);
        bundle(&text, Draft::Draft7)
    };
    let plain = schema("");
    for (keyword, value) in keywords {
        let with = schema(&format!(r#", "{keyword}": {value}"#));
        assert_eq!(with, plain, "{keyword}");
        assert_eq!(with.digest(), plain.digest(), "{keyword}");
    }
    // what a reference leads to stays
    let referred = |inner: &str| {
        let text = format!(
            r##"{{ "properties": {{ "a": {{ "$ref": "#/parts/a" }} }}, "parts": {{ "a": {inner}, "b": 1 }} }}"##
        );
        bundle(&text, Draft::Draft7)
    };
    assert!(!compare(&referred("{}"), &referred(r#"{ "type": "string" }"#), &Options::default()).fits());
}

#[test]
fn a_size_is_read_with_any_number_of_decimals() {
    let long = format!(r#"{{ "type": "string", "minLength": 5.{} }}"#, "0".repeat(5001));
    let least = |count: usize| format!(r#"{{ "type": "string", "minLength": {count} }}"#);
    subsumption(Draft::Draft202012, &[(&least(5), &long, "fits"), (&long, &least(5), "fits")]);
    let verdict =
        compare(&bundle(&least(4), Draft::Draft202012), &bundle(&long, Draft::Draft202012), &Options::subsumption());
    assert!(matches!(&verdict, Verdict::Breaks(witness) if witness.keyword == "minLength"), "{verdict:?}");
    // the evaluator reads all sizes in the same way
    let zeros = "0".repeat(5001);
    let all = format!(
        r#"{{ "minLength": 2.{zeros}, "maxLength": 3.{zeros}, "minItems": 2.{zeros}, "maxItems": 3.{zeros},
            "minProperties": 2.{zeros}, "maxProperties": 3.{zeros},
            "contains": {{ "const": 1 }}, "minContains": 1.{zeros}, "maxContains": 2.{zeros} }}"#
    );
    let checker = Checker::new(&bundle(&all, Draft::Draft202012), Mode::Subsumption).unwrap();
    for (value, valid) in [
        (json!("a"), false),
        (json!("ab"), true),
        (json!("abcd"), false),
        (json!([1]), false),
        (json!([1, 2]), true),
        (json!([2, 2]), false),
        (json!([1, 1, 1]), false),
        (json!([1, 2, 2, 2]), false),
        (json!({"a": 1}), false),
        (json!({"a": 1, "b": 2}), true),
        (json!({"a": 1, "b": 2, "c": 3, "d": 4}), false),
    ] {
        assert_eq!(checker.is_valid(&value), Some(valid), "{value}");
    }
}

#[test]
fn a_factor_that_earlier_releases_rounded_is_undecided() {
    let of = |rules: &str| {
        let schema = format!(r#"{{ "type": "object", "properties": {{ "x": {{ "type": "number", {rules} }} }} }}"#);
        bundle(&schema, Draft::Draft202012).formats(true)
    };
    let zero = of(r#""minimum": 0, "maximum": 0"#);
    let known = of(r#""minimum": 0, "maximum": 1, "multipleOf": 0.25"#);
    assert!(matches!(compare(&known, &zero, &Options::default()), Verdict::Breaks(_)));
    for factor in ["0.10000000000000000000000000000000000000001", "1e99999999999"] {
        // as a lock has it
        let old = Bundle::parse(&known.to_string().replace("0.25", factor)).unwrap();
        assert_ne!(old, known);
        let verdict = compare(&old, &zero, &Options::default());
        let Verdict::Undecided(why) = &verdict else { panic!("{factor}: {verdict:?}") };
        assert_eq!((&*why.keyword, &*why.reason), ("multipleOf", "multiples of the number can't be computed exactly"));
        assert!(compare(&old, &old, &Options::default()).fits());
        let wider = Bundle::parse(&old.to_string().replace("\"maximum\":1", "\"maximum\":2")).unwrap();
        assert_ne!(old, wider);
        assert!(compare(&old, &wider, &Options::default()).fits(), "the same factor is the same rule");
    }
}

#[test]
fn many_long_factors_are_undecided() {
    let factors: Vec<String> = (0..400_u64)
        .map(|index| format!(r#"{{ "multipleOf": {}{:020}1 }}"#, index + 3, index.wrapping_mul(7_777_777_777_777_777)))
        .collect();
    let schema = |more: &str| format!(r#"{{ "type": "number", "allOf": [{}]{more} }}"#, factors.join(", "));
    let [old, new] = ["", r#", "minimum": 1"#].map(|more| bundle(&schema(more), Draft::Draft202012));
    let verdict = compare(&old, &new, &Options::subsumption());
    let Verdict::Undecided(why) = &verdict else { panic!("{verdict:?}") };
    assert_eq!(why.reason, "a common multiple of the factors of `multipleOf` is too long to compute");
}

#[test]
fn a_factor_whose_multiples_cant_be_computed_exactly_is_refused() {
    for factor in ["0.10000000000000000000000000000000000000001", "1e99999999999"] {
        let schema = format!(r#"{{ "type": "number", "multipleOf": {factor} }}"#);
        let problems = Bundle::schema(&schema, Draft::Draft202012).unwrap_err().to_string();
        assert!(problems.contains("must be a number with at most 38 digits"), "{problems}");
    }
    bundle(r#"{ "type": "number", "multipleOf": 1e-300 }"#, Draft::Draft202012);
}
