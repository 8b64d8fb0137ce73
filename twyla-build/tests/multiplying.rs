//! Pairs of schemas that are made to explode: each is decided, or undecided within its budget, on any thread.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use twyla_build::Draft;
use twyla_build::compare::{Bundle, Options, Verdict, compare};

/// Steps; far fewer than there are by default, since these are not optimized.
const BUDGET: u64 = 100_000;
/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// The verdict in a word, found on a thread with a small stack.
#[track_caller]
fn said(producer: &str, consumer: &str) -> String {
    let bundle = |text: &str| {
        let begin: String = text.chars().take(200).collect();
        Bundle::schema(text, Draft::default()).unwrap_or_else(|problems| panic!("{begin}: {problems}"))
    };
    let (producer, consumer) = (bundle(producer), bundle(consumer));
    let (send, receive) = mpsc::channel();
    let work = move || {
        for options in [Options::subsumption(), Options::default()] {
            let options = Options { budget: BUDGET, ..options };
            let said = match compare(&producer, &consumer, &options) {
                Verdict::Fits => "fits".to_owned(),
                Verdict::Breaks(_) => "breaks".to_owned(),
                Verdict::Undecided(why) => format!("undecided: {}", why.reason),
            };
            send.send(said).unwrap();
        }
    };
    thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap();
    let [first, second] = [0, 1].map(|_| receive.recv_timeout(PATIENCE).unwrap());
    if first == second { first } else { format!("{first}; as a contract {second}") }
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

const MULTIPLY: &str =
    "undecided: the schema has too many combinations of alternatives: the search stopped after 100000 steps";

const CONDITIONS: &str = "undecided: the members or items that it applies to depend on too many conditions";

#[test]
fn pigeons_and_holes() {
    // twelve members, each with one of eleven values, and no two with the same
    let same = |i, j| {
        list(11, |v| format!(r#"{{ "properties": {{ "p{i}": {{ "const": {v} }}, "p{j}": {{ "const": {v} }} }} }}"#))
    };
    let pairs = (0..12).flat_map(|i| (0..i).map(move |j| (i, j)));
    let differ = pairs.map(|(i, j)| format!(r#"{{ "not": {{ "anyOf": [{}] }} }}"#, same(i, j))).collect::<Vec<_>>();
    let schema = format!(
        r#"{{ "type": "object", "properties": {{ {} }}, "required": [{}], "allOf": [{}] }}"#,
        list(12, |i| format!(r#""p{i}": {{ "enum": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }}"#)),
        list(12, |i| format!(r#""p{i}""#)),
        differ.join(",")
    );
    assert_eq!(said(&schema, "false"), MULTIPLY);
}

#[test]
fn names_that_match_many_patterns() {
    // which of forty patterns a name matches: a million million kinds of names
    let patterns = list(40, |i| format!(r#""x{i}y": {{ "type": "string", "minLength": {i} }}"#));
    let producer = format!(r#"{{ "type": "object", "patternProperties": {{ {patterns} }} }}"#);
    let consumer = r#"{ "patternProperties": { "^[a-z]*$": { "type": "string" }, "z": { "maxLength": 3 } } }"#;
    assert_eq!(said(&producer, consumer), "breaks");
    let all =
        format!(r#"{{ "type": "object", "patternProperties": {{ {patterns} }}, "additionalProperties": false }}"#);
    assert_eq!(said(&all, r#"{ "additionalProperties": { "type": "string" } }"#), MULTIPLY);
}

#[test]
fn patterns_that_remember() {
    // what the twenty-fourth character from the end was: sixteen million states, once they are kept apart
    let pattern = |c: char| format!(r#"{{ "type": "string", "pattern": "^[ab]*{c}[ab]{{24}}$" }}"#);
    assert_eq!(said(&pattern('a'), &pattern('b')), MULTIPLY);
    let both = format!(r#"{{ "allOf": [{}, {}] }}"#, pattern('a'), pattern('b'));
    let said = said(&both, "false");
    assert!(said == MULTIPLY || said == "fits", "{said}");
    let deep = r#"{ "type": "string", "pattern": "^(a?){200}b{300}(c|d?){200}$", "minLength": 400 }"#;
    assert_eq!(self::said(deep, r#"{ "pattern": "^a*b*[cd]*$" }"#), MULTIPLY);
}

#[test]
fn alternatives_within_alternatives() {
    // one of two at each of thirty floors, which differ only by what holds at the top
    let floor = |i: usize| {
        format!(
            r##""f{i}": {{ "oneOf": [
                {{ "properties": {{ "a{i}": {{ "const": 1 }} }}, "required": ["a{i}"], "$ref": "#/$defs/f{n}" }},
                {{ "properties": {{ "b{i}": {{ "const": 1 }} }}, "required": ["b{i}"], "$ref": "#/$defs/f{n}" }}
            ] }}"##,
            n = i + 1
        )
    };
    let floors = list(30, floor);
    let schema = |top: &str| format!(r##"{{ "$ref": "#/$defs/f0", "$defs": {{ {floors}, "f30": {top} }} }}"##);
    let said = said(&schema(r#"{ "minProperties": 30 }"#), &schema(r#"{ "minProperties": 29 }"#));
    assert!(said == MULTIPLY || said == "fits", "{said}");
}

#[test]
fn what_is_left_over_by_doubling_references() {
    // two ways to each floor, and all of them look at members
    let schema = |count: usize, rest: &str| {
        let floors = list(count, |i| {
            let n = i + 1;
            format!(
                r##""f{i}": {{ "properties": {{ "p{i}": true }}, "anyOf": [{{ "$ref": "#/$defs/f{n}" }}, {{ "$ref": "#/$defs/f{n}" }}] }}"##
            )
        });
        format!(
            r##"{{ "type": "object", "$ref": "#/$defs/f0", "unevaluatedProperties": {rest}, "$defs": {{ {floors}, "f{count}": true }} }}"##
        )
    };
    let null = r#"{ "type": "null" }"#;
    let said = said(&schema(60, "false"), &schema(60, null));
    assert!(said == "fits" || said == CONDITIONS, "{said}");
    // `{ "zzz": null }` breaks it
    let said = self::said(&schema(12, null), &schema(12, "false"));
    assert!(!said.contains("fits"), "{said}");
}

#[test]
fn a_rule_that_cannot_be_decided_is_equal_on_both_sides_only_with_all_that_it_reaches() {
    let patterns = list(9, |i| format!(r##"{{ "patternProperties": {{ "^x{i}": {{ "$ref": "#/$defs/x" }} }} }}"##));
    let schema = |rest: &str, x: &str, w: &str| {
        format!(
            r##"{{ "type": "object", "properties": {{ "v": {{ "anyOf": [{patterns}], "unevaluatedProperties": {rest} }}, "w": {w} }},
                "$defs": {{ "x": {x}, "y": {{ "type": "string" }} }} }}"##
        )
    };
    let (integer, y) = (r#"{ "type": "integer" }"#, r##"{ "$ref": "#/$defs/y" }"##);
    let [short, long] = [3, 4].map(|most| format!(r#"{{ "type": "string", "maxLength": {most} }}"#));
    let producer = schema(y, integer, &short);
    for consumer in [schema(integer, integer, &short), schema(y, y, &short), schema(integer, integer, &long)] {
        let said = said(&producer, &consumer);
        assert!(!said.contains("fits"), "{said}: {consumer}");
    }
    // what it doesn't reach may differ
    assert_eq!(said(&producer, &producer), "fits");
    assert_eq!(said(&producer, &schema(y, integer, &long)), "fits");
}

#[test]
fn rules_below_the_deepest_schema_are_equal_only_with_the_same_content() {
    let chain = list(5_100, |i| format!(r##""a{i}": {{ "$ref": "#/$defs/a{}" }}"##, i + 1));
    let long = |last: &str, w: &str| {
        format!(
            r##"{{ "properties": {{ "v": {{ "$ref": "#/$defs/a0" }}, "w": {w} }}, "$defs": {{ {chain}, "a5100": {last} }} }}"##
        )
    };
    let (integer, number) = (r#"{ "type": "integer" }"#, r#"{ "type": "number" }"#);
    let said = said(&long(number, integer), &long(integer, integer));
    assert!(!said.contains("fits"), "{said}");
    assert_eq!(self::said(&long(number, integer), &long(number, number)), "fits");
}

#[test]
fn much_to_count() {
    let counts = list(9, |i| {
        format!(r#"{{ "contains": {{ "multipleOf": {} }}, "minContains": 3 }}"#, [2, 3, 5, 7, 11, 13, 17, 19, 23][i])
    });
    let producer =
        format!(r#"{{ "type": "array", "items": {{ "type": "integer" }}, "uniqueItems": true, "allOf": [{counts}] }}"#);
    assert_eq!(said(&producer, r#"{ "maxItems": 2 }"#), "breaks");
    let many = format!(
        r#"{{ "type": "array", "items": {{ "enum": [2, 3, 5, 7, 11] }}, "uniqueItems": true, "maxItems": 4, "allOf": [{counts}] }}"#
    );
    let said = said(&many, "false");
    assert!(said == MULTIPLY || said == "fits", "{said}");
}

#[test]
fn sizes_without_end() {
    for (producer, consumer) in [
        (r#"{ "type": "string", "minLength": 1000000000000 }"#, "false"),
        (r#"{ "type": "array", "minItems": 1000000000000 }"#, "false"),
        (r#"{ "type": "object", "minProperties": 1000000000000 }"#, "false"),
        (
            r#"{ "type": "array", "minItems": 1999, "items": { "type": "object", "minProperties": 250 } }"#,
            r#"{ "uniqueItems": true }"#,
        ),
        (
            r#"{ "type": "array", "maxItems": 1900, "contains": { "const": 1 }, "minContains": 1800 }"#,
            r#"{ "contains": { "const": 2 } }"#,
        ),
    ] {
        let said = said(producer, consumer);
        let begins = ["breaks", "undecided: the sizes in the schema are too large", MULTIPLY]
            .iter()
            .any(|begin| said.starts_with(begin));
        assert!(begins, "{producer}: {said}");
    }
    // a million characters for each of a thousand members
    let members = list(1_000, |i| format!(r#""p{i}": {{ "type": "string", "minLength": 1000000 }}"#));
    let required = list(1_000, |i| format!(r#""p{i}""#));
    let said =
        said(&format!(r#"{{ "type": "object", "properties": {{ {members} }}, "required": [{required}] }}"#), "false");
    assert!(said.starts_with("breaks") || said.starts_with("undecided"), "{said}");
}

#[test]
fn numbers_far_from_each_other() {
    let factors = list(40, |i| format!(r#"{{ "multipleOf": {} }}"#, 1_000_003 + 2 * i * i));
    let far = "undecided: a number that breaks the rule can't be written";
    for (producer, consumer, wanted) in [
        (r#"{ "type": "number", "multipleOf": 1e-300 }"#, r#"{ "multipleOf": 3e-300 }"#, "breaks"),
        (&format!(r#"{{ "type": "number", "allOf": [{factors}] }}"#), r#"{ "const": 0 }"#, far),
        (&format!(r#"{{ "type": "number", "exclusiveMinimum": 0, "allOf": [{factors}] }}"#), "false", far),
        // an `i64` is never as far
        (
            r#"{ "type": "integer", "minimum": -1e300, "maximum": 1e300 }"#,
            r#"{ "minimum": -1e299 }"#,
            "breaks; as a contract fits",
        ),
        (r#"{ "type": "number", "multipleOf": 1e308 }"#, r#"{ "type": "integer" }"#, "fits; as a contract breaks"),
    ] {
        assert_eq!(said(producer, consumer), wanted, "{producer}");
    }
}

#[test]
fn chains_and_nesting() {
    // thousands of references, one after another, and values within each other without end
    let chain = list(4_000, |i| format!(r##""a{i}": {{ "$ref": "#/$defs/a{}" }}"##, i + 1));
    let long = |last: &str| format!(r##"{{ "$ref": "#/$defs/a0", "$defs": {{ {chain}, "a4000": {last} }} }}"##);
    assert_eq!(said(&long(r#"{ "type": "integer" }"#), &long(r#"{ "type": "number" }"#)), "fits");
    let deep = list(1_400, |i| {
        format!(
            r##""a{i}": {{ "type": "object", "properties": {{ "n": {{ "$ref": "#/$defs/a{}" }} }}, "required": ["n"] }}"##,
            i + 1
        )
    });
    let deep = |last: &str| format!(r##"{{ "$ref": "#/$defs/a0", "$defs": {{ {deep}, "a1400": {last} }} }}"##);
    let said = said(&deep(r#"{ "type": "number" }"#), &deep(r#"{ "type": "integer" }"#));
    assert!(said == "breaks" || said.starts_with("undecided"), "{said}");
    // no value is of it, since each has another one in it
    let endless = r##"{ "type": "object", "properties": { "n": { "$ref": "#" } }, "required": ["n"] }"##;
    assert_eq!(self::said(endless, "false"), "fits");
}

#[test]
fn long_lists() {
    // the same thousand branches in another order
    let branch = |i: usize| {
        format!(
            r#"{{ "type": "object", "properties": {{ "k": {{ "const": "k{i}" }}, "v": {{ "maxLength": {i} }} }}, "required": ["k"] }}"#
        )
    };
    let one = |of: &dyn Fn(usize) -> usize| format!(r#"{{ "oneOf": [{}] }}"#, list(300, |i| branch(of(i))));
    let said = said(&one(&|i| i), &one(&|i| 299 - i));
    assert!(said == "fits" || said == MULTIPLY, "{said}");
    let words = |from: usize| format!(r#"{{ "enum": [{}] }}"#, list(20_000, |i| format!(r#""w{}""#, i + from)));
    assert_eq!(self::said(&words(0), &words(1)), "breaks");
    let values =
        |from: usize| format!(r#"{{ "enum": [{}] }}"#, list(2_000, |i| format!(r#"{{ "w": [{}] }}"#, i + from)));
    let said = self::said(&values(0), &values(1));
    assert!(said == "breaks" || said == MULTIPLY, "{said}");
}

#[test]
fn a_pair_whose_time_is_over_is_undecided_with_steps_left() {
    let schema = |text: &str| Bundle::schema(text, Draft::default()).unwrap();
    let (producer, consumer) = (schema(r#"{ "type": "string" }"#), schema(r#"{ "maxLength": 3 }"#));
    for options in [Options::subsumption(), Options::default()] {
        let verdict = compare(&producer, &consumer, &Options { time: Duration::ZERO, ..options });
        let Verdict::Undecided(why) = verdict else { panic!("{verdict:?}") };
        assert_eq!(
            why.reason,
            "the schema has too many combinations of alternatives: the search stopped after 0 seconds"
        );
    }
}
