//! Pairs of schemas whose verdict is known, keyword by keyword; and contracts as the generated types hold them.
#![allow(clippy::unwrap_used, reason = "tests may")]

use twyla_build::Draft;
use twyla_build::compare::{Bundle, Mode, Options, Sample, Verdict, compare, sample};

fn bundle(text: &str, draft: Draft) -> Bundle {
    Bundle::schema(text, draft).unwrap_or_else(|problems| panic!("{text}: {problems}"))
}

/// `fits`, or what is refused: `POINTER KEYWORD EVENT`.
fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Fits => "fits".to_owned(),
        Verdict::Breaks(witness) => format!("{} {} {}", witness.pointer, witness.keyword, witness.event),
        Verdict::Undecided(why) => format!("undecided: {why}"),
    }
}

#[track_caller]
fn subsumption(draft: Draft, pairs: &[(&str, &str, &str)]) {
    for (producer, consumer, wanted) in pairs {
        let verdict = compare(&bundle(producer, draft), &bundle(consumer, draft), &Options::subsumption());
        assert_eq!(said(&verdict), *wanted, "{producer} in {consumer}");
    }
}

/// A contract whose types are generated: formats are rules.
#[track_caller]
fn contract(pairs: &[(&str, &str, &str)]) {
    for (producer, consumer, wanted) in pairs {
        let [producer, consumer] = [producer, consumer].map(|text| bundle(text, Draft::default()).formats(true));
        let verdict = compare(&producer, &consumer, &Options::default());
        assert_eq!(said(&verdict), *wanted, "{producer} in {consumer}");
    }
}

#[test]
fn a_property_whose_null_is_absence_is_never_sent_as_null() {
    let nullable = r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"] } } }"#;
    let absent =
        r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"], "x-null-is-absent": true } } }"#;
    let string = r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#;
    let required = absent.replace(r#""properties""#, r#""required": ["a"], "properties""#);
    contract(&[
        (nullable, string, r#"/a type {"a":null}"#),
        (absent, string, "fits"),
        (absent, nullable, "fits"),
        (string, absent, "fits"),
        (nullable, absent, "fits"),
        // it has to be there
        (&required, string, r#"/a type {"a":null}"#),
    ]);
    // the lock keeps it
    let kept = Bundle::parse(&bundle(absent, Draft::default()).formats(true).to_string()).unwrap();
    assert_eq!(said(&compare(&kept, &bundle(string, Draft::default()).formats(true), &Options::default())), "fits");
}

#[test]
fn an_object_with_the_members_of_several_alternatives_is_limited_by_the_one_that_allows_it() {
    let keeps = |b: &str| {
        format!(
            r#"{{ "oneOf": [{{ "type": "object", "properties": {{ "a": {{ "type": "integer" }} }}, "required": ["a"], "additionalProperties": {{ "type": "integer" }} }},
                {{ "type": "object", "properties": {{ "b": {b} }}, "required": ["b"] }}] }}"#
        )
    };
    let b = |rules: &str| format!(r#"{{ "type": "object", "properties": {{ "b": {{ {rules} }} }} }}"#);
    let (not_negative, byte) = (
        keeps(r#"{ "type": "integer", "minimum": 2 }"#),
        keeps(r#"{ "type": "integer", "minimum": 0, "maximum": 255 }"#),
    );
    let both = |b: &str| {
        format!(
            r#"{{ "type": "object", "properties": {{ "a": {{ "type": "integer" }}, "b": {b} }}, "required": ["a", "b"] }}"#
        )
    };
    let open = r#"{ "oneOf": [{ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"] },
        { "type": "object", "properties": { "b": { "type": "integer", "minimum": 0 } }, "required": ["b"] }] }"#;
    let text_beside = r#"{ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "integer", "minimum": 0 } },
        "required": ["a", "b"] }"#;
    contract(&[
        (&not_negative, &b(r#""minimum": 0"#), r#"/b minimum {"a":0,"b":-1}"#),
        (&not_negative, &b(r#""minimum": -9223372036854775808"#), "fits"),
        (&byte, &b(r#""maximum": 299"#), r#"/b maximum {"a":0,"b":300}"#),
        // the first alternative reads it
        (&both(r#"{ "const": -1 }"#), open, "fits"),
        (&both(r#"{ "type": "integer", "minimum": 0 }"#), open, r#" oneOf {"a":0,"b":0}"#),
        // the second alone allows it, and reads no more than 64 bits
        (text_beside, &open.replace(r#", "minimum": 0"#, ""), r#"/b type {"a":"","b":9223372036854775808}"#),
    ]);
}

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
fn contracts_are_closed_on_emit_and_open_on_listen() {
    let plain = r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#;
    contract(&[
        // members that the producer's schema doesn't declare are never sent
        (
            plain,
            r#"{ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "integer" } } }"#,
            "fits",
        ),
        (
            plain,
            r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": false }"#,
            "fits",
        ),
        (plain, r#"{ "type": "object", "properties": { "b": { "type": "string" } } }"#, "fits"),
        (plain, r#"{ "type": "object", "additionalProperties": false }"#, r#" additionalProperties {"a":""}"#),
        (
            plain,
            r#"{ "type": "object", "properties": { "a": { "type": "string", "default": "x" } }, "required": ["a"] }"#,
            " required {}",
        ),
        // unless it declares a map, or keeps what a rule looks at
        (
            r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": { "type": "integer" } }"#,
            r#"{ "type": "object", "properties": { "b": { "type": "string" } } }"#,
            r#"/b type {"b":0}"#,
        ),
        (
            r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "propertyNames": { "maxLength": 3 } }"#,
            r#"{ "type": "object", "properties": { "b": { "type": "string" } } }"#,
            r#"/b type {"b":null}"#,
        ),
        // closed also further in, but where a value of any kind is held
        (
            r#"{ "type": "object", "properties": { "a": { "type": "object", "properties": { "x": {} } } } }"#,
            r#"{ "type": "object", "properties": { "a": { "properties": { "x": {}, "y": false } } } }"#,
            "fits",
        ),
        (
            r#"{ "type": "object", "properties": { "a": { "type": "object", "properties": { "x": {} } } } }"#,
            r#"{ "type": "object", "properties": { "a": { "properties": { "x": { "properties": { "y": false } } } } } }"#,
            r#"/a/x/y properties {"a":{"x":{"y":null}}}"#,
        ),
        (
            r#"{ "type": "object", "oneOf": [{ "type": "object", "properties": { "kind": { "const": "a" } }, "required": ["kind"] },
                 { "type": "object", "properties": { "kind": { "const": "b" }, "n": { "type": "integer" } }, "required": ["kind"] }] }"#,
            r#"{ "type": "object", "properties": { "n": { "type": "number", "minimum": -9223372036854775808 }, "m": false } }"#,
            r#"/n type {"kind":"b","n":9007199254740993}"#,
        ),
    ]);
}

#[test]
fn contracts_are_as_wide_as_their_integers() {
    let of = |rules: &str| format!(r#"{{ "type": "object", "properties": {{ "n": {{ {rules} }} }} }}"#);
    let (signed, unsigned) = (of(r#""type": "integer""#), of(r#""type": "integer", "minimum": 0"#));
    let number = of(r#""type": "number""#);
    let small = of(r#""type": "integer", "minimum": 0, "maximum": 9007199254740992"#);
    contract(&[
        (&unsigned, &signed, r#"/n type {"n":9223372036854775808}"#),
        (&signed, &unsigned, r#"/n minimum {"n":-1}"#),
        (&signed, &number, r#"/n type {"n":9007199254740993}"#),
        (&small, &number, "fits"),
        (&small, &signed, "fits"),
        (&of(r#""type": "number", "multipleOf": 1"#), &signed, r#"/n type {"n":-9.223372036854776e+18}"#),
        (
            &of(r#""type": ["integer", "null"]"#),
            &of(r#""type": ["integer", "null"], "minimum": -9223372036854775808"#),
            "fits",
        ),
    ]);
}

#[test]
fn formats_are_rules_of_contracts() {
    let of =
        |rules: &str| format!(r#"{{ "type": "object", "properties": {{ "s": {{ "type": "string", {rules} }} }} }}"#);
    let any = r#"{ "type": "object", "properties": { "s": { "type": "string" } } }"#;
    contract(&[
        (&of(r#""format": "date""#), any, "fits"),
        (any, &of(r#""format": "date""#), r#"/s format {"s":""}"#),
        (&of(r#""format": "date""#), &of(r#""minLength": 10, "maxLength": 10, "pattern": "^\\d{4}-[01]""#), "fits"),
        (&of(r#""format": "date""#), &of(r#""pattern": "^[12]""#), r#"/s pattern {"s":"0000-01-01"}"#),
        (&of(r#""format": "uuid""#), &of(r#""pattern": "^[0-9a-fA-F-]{36}$""#), "fits"),
        (&of(r#""format": "uri""#), &of(r#""format": "uri-reference""#), "fits"),
        (&of(r#""format": "uri-reference""#), &of(r#""format": "uri""#), r#"/s format {"s":""}"#),
        (&of(r#""format": "ipv4""#), &of(r#""format": "hostname""#), "fits"),
        (&of(r#""format": "date-time""#), &of(r#""pattern": "^.{10}[tT]""#), "fits"),
    ]);
}

#[test]
fn a_sample_is_small_and_valid() {
    let options = Options { mode: Mode::Contract, ..Options::default() };
    for (text, wanted) in [
        (
            r#"{ "type": "object", "properties": { "a": { "type": "string", "minLength": 2 } }, "required": ["a"] }"#,
            r#"{"a":"aa"}"#,
        ),
        (
            r#"{ "type": "object", "minProperties": 2, "properties": { "a": { "type": "integer" }, "b": { "const": "x" } } }"#,
            r#"{"a":0,"b":"x"}"#,
        ),
    ] {
        match sample(&bundle(text, Draft::default()), &options) {
            Sample::Value(value) => assert_eq!(value.to_string(), wanted),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(
        sample(
            &bundle(r#"{ "type": "object", "required": ["a"], "properties": { "a": false } }"#, Draft::default()),
            &options
        ),
        Sample::Nothing
    );
}

#[test]
fn what_multiplies_is_undecided_within_its_budget() {
    // twelve members, each with one of eleven values, and no two with the same
    let members = (0..12).map(|i| format!(r#""p{i}": {{ "enum": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }}"#));
    let required = (0..12).map(|i| format!(r#""p{i}""#)).collect::<Vec<_>>().join(",");
    let pairs = (0..12).flat_map(|i| (0..i).map(move |j| (i, j)));
    let differ = pairs.map(|(i, j)| {
        let same = (0..11)
            .map(|v| format!(r#"{{ "properties": {{ "p{i}": {{ "const": {v} }}, "p{j}": {{ "const": {v} }} }} }}"#));
        format!(r#"{{ "not": {{ "anyOf": [{}] }} }}"#, same.collect::<Vec<_>>().join(","))
    });
    let text = format!(
        r#"{{ "type": "object", "properties": {{ {} }}, "required": [{required}], "allOf": [{}] }}"#,
        members.collect::<Vec<_>>().join(","),
        differ.collect::<Vec<_>>().join(",")
    );
    let options = Options { budget: 20_000, ..Options::subsumption() };
    let verdict = compare(&bundle(&text, Draft::default()), &bundle("false", Draft::default()), &options);
    assert!(said(&verdict).starts_with("undecided: schema.json#: its alternatives multiply"), "{}", said(&verdict));
}

#[test]
fn a_caller_repeats_only_what_the_service_lets_be_repeated() {
    let of = |path: &str, idempotent: &str| {
        let schema = format!(r#"{{"type":"object","idempotent":{idempotent}}}"#);
        let text = format!(r#"{{"draft":"2020-12","formats":true,"root":"{path}","documents":{{"{path}":{schema}}}}}"#);
        Bundle::parse(&text).unwrap_or_else(|problems| panic!("{text}: {problems}"))
    };
    let verdict = |path: &str, options: &Options, caller: &str, service: &str| {
        said(&compare(&of(path, caller), &of(path, service), options))
    };
    let (request, contract) = ("rpc/a/get/request.json", Options::default());
    assert_eq!(verdict(request, &contract, "true", "false"), " idempotent {}");
    assert_eq!(verdict(request, &contract, "false", "true"), "fits");
    assert_eq!(verdict(request, &contract, "true", "true"), "fits");
    // both are reported at once
    let whole = |idempotent: &str, least: u32| {
        let text = format!(
            r#"{{"draft":"2020-12","formats":true,"root":"{request}","documents":{{"{request}":{{"type":"object","idempotent":{idempotent},"properties":{{"n":{{"type":"integer","minimum":{least}}}}}}}}}}}"#
        );
        Bundle::parse(&text).unwrap_or_else(|problems| panic!("{text}: {problems}"))
    };
    match compare(&whole("true", 0), &whole("false", 5), &contract) {
        Verdict::Breaks(witness) => {
            assert_eq!(witness.keyword, "minimum");
            assert!(witness.rule.contains("only the caller's contract is `idempotent`"), "{}", witness.rule);
        }
        verdict => panic!("{verdict:?}"),
    }
    // an answer says nothing by it, of which a build warns, and neither does an event
    assert_eq!(verdict("rpc/a/get/response.json", &contract, "true", "false"), "fits");
    assert_eq!(verdict("events/a/got.json", &contract, "true", "false"), "fits");
    assert_eq!(verdict(request, &Options::subsumption(), "true", "false"), "fits");
}
