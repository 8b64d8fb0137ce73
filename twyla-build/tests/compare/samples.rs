//! Samples of a schema, and the budget of a search.

use twyla_build::Draft;
use twyla_build::compare::{Mode, Options, Sample, compare, sample};

use super::{bundle, said};

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
fn a_search_that_multiplies_is_undecided_within_its_budget() {
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
    assert!(
        said(&verdict).starts_with("undecided: schema.json#: the schema has too many combinations of alternatives"),
        "{}",
        said(&verdict)
    );
}
