//! Pairs of contracts as the generated types hold them: closed when sent, open when read.

use twyla_build::Draft;
use twyla_build::compare::{Bundle, Options, Verdict, compare};

use super::{bundle, contract, said};

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
        // between two doubles there is nothing to send
        (&of(r#""type": "number", "maximum": 9007199254740993"#), &of(r#""maximum": 9007199254740992"#), "fits"),
        (&of(r#""type": "number", "maximum": 0.1000000000000000000001"#), &of(r#""maximum": 0.1"#), "fits"),
        (
            &of(r#""type": "number", "maximum": 18446744073709551616"#),
            &of(r#""maximum": 18446744073709551615"#),
            "undecided: schema.json#: a number that breaks the rule can't be written",
        ),
        (
            &of(r#""type": "number", "maximum": 18446744073709552000"#),
            &of(r#""maximum": 18446744073709551615"#),
            r#"/n maximum {"n":1.8446744073709552e+19}"#,
        ),
        // generated code writes 2^60 with all digits, but serde and Python write its shortest decimal
        (
            &of(r#""type": "number", "minimum": 1152921504606846976, "maximum": 1152921504606847000"#),
            &of(r#""const": 1152921504606846976"#),
            r#"/n const {"n":1152921504606847000}"#,
        ),
        (
            &of(r#""type": "number", "maximum": 1152921504606847000"#),
            &of(r#""maximum": 1152921504606846980"#),
            r#"/n maximum {"n":1152921504606847000}"#,
        ),
        // a `u128` and Python write 2^64 with all digits
        (
            &of(r#""type": "number", "minimum": 18446744073709551616, "maximum": 18446744073709552000"#),
            &of(r#""minimum": 18446744073709551990"#),
            "undecided: schema.json#: a number that breaks the rule can't be written",
        ),
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
            assert!(
                witness.rule.contains("the caller's contract is `idempotent` and the service's isn't"),
                "{}",
                witness.rule
            );
        }
        verdict => panic!("{verdict:?}"),
    }
    // an answer says nothing by it, of which a build warns, and neither does an event
    assert_eq!(verdict("rpc/a/get/response.json", &contract, "true", "false"), "fits");
    assert_eq!(verdict("events/a/got.json", &contract, "true", "false"), "fits");
    assert_eq!(verdict(request, &Options::subsumption(), "true", "false"), "fits");
}
