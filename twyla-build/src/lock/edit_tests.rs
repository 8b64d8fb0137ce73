//! Tests of edits: their texts, and undoing them.

use serde_json::{Value, json};
use twyla_generate::random::Random;
use twyla_generate::{DRAFTS, mutate, schemas};

use super::edit::{Edit, edits};
use super::form::Form;
use super::undo::undone;
use crate::Draft;
use crate::compare::{self, Bundle, Resolved};
use crate::stack;

/// The budget of a comparison that isn't optimized.
const BUDGET: u64 = 100_000;

fn bundle(schema: &Value) -> Bundle {
    Bundle::value(schema, Draft::default()).unwrap()
}

fn said(old: &Value, new: &Value) -> Vec<String> {
    edits(&bundle(old), &bundle(new)).iter().map(Edit::to_string).collect()
}

#[test]
fn each_kind_has_its_words() {
    let object = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required });
    let a = |schema: Value| object(json!({ "a": schema }), json!(["a"]));
    let cases = [
        (a(json!({ "maxLength": 100 })), a(json!({ "maxLength": 50 })), vec!["`/properties/a/maxLength`: 100 -> 50"]),
        (a(json!({})), a(json!({ "maxLength": 50 })), vec!["`/properties/a/maxLength`: added, 50"]),
        (a(json!({ "pattern": "^a" })), a(json!({})), vec!["`/properties/a/pattern`: removed, was \"^a\""]),
        (
            a(json!({ "type": "string" })),
            a(json!({ "type": "integer" })),
            vec!["`/properties/a/type`: \"string\" -> \"integer\""],
        ),
        (
            a(json!({ "type": "string" })),
            a(json!({ "type": ["string", "null"] })),
            vec!["`/properties/a/type`: \"null\" added"],
        ),
        (
            a(json!({ "type": ["string", "null"] })),
            a(json!({ "type": "string" })),
            vec!["`/properties/a/type`: \"null\" removed"],
        ),
        (
            a(json!({ "enum": [1, 2, 3] })),
            a(json!({ "enum": [3, 4, 1] })),
            vec!["`/properties/a/enum`: 2 removed", "`/properties/a/enum`: 4 added"],
        ),
        (a(json!({ "enum": [1, 2] })), a(json!({ "enum": [3] })), vec!["`/properties/a/enum`: [1,2] -> [3]"]),
        (a(json!(true)), a(json!(false)), vec!["`/properties/a`: true -> false"]),
        (
            object(json!({ "a": {} }), json!(["a"])),
            object(json!({ "a": {}, "b": { "type": "string" } }), json!(["a", "b"])),
            vec!["`/properties/b`: added, {\"type\":\"string\"}", "`/required`: \"b\" added"],
        ),
        (
            object(json!({ "a": {}, "b": {} }), json!(["a", "b"])),
            object(json!({ "a": {} }), json!(["a"])),
            vec!["`/properties/b`: removed, was {}", "`/required`: \"b\" removed"],
        ),
        (
            object(json!({ "a": { "type": "string" }, "x": { "maxLength": 1 } }), json!(["x"])),
            object(json!({ "b": { "type": "string" }, "x": { "maxLength": 2 } }), json!(["x"])),
            vec!["`/properties/b`: was named `a`", "`/properties/x/maxLength`: 1 -> 2"],
        ),
        (
            object(json!({ "a": { "type": "string" } }), json!(["a"])),
            object(json!({ "b": { "type": "string" } }), json!(["b"])),
            vec!["`/properties/b`: was named `a`"],
        ),
        (
            json!({}),
            object(json!({ "a": {} }), json!(["a"])),
            vec!["`/properties/a`: added, {}", "`/required`: \"a\" added", "`/type`: added, \"object\""],
        ),
        (
            json!({ "oneOf": [{ "const": 1 }, { "type": "string", "minLength": 1, "maxLength": 9 }] }),
            json!({ "oneOf": [{ "type": "string", "minLength": 1, "maxLength": 8, "pattern": "a" }, { "const": 2 }, { "const": 1 }] }),
            vec![
                "`/oneOf/0`: added, {\"maxLength\":8,\"minLength\":1,\"pattern\":\"a\",\"type\":\"string\"}",
                "`/oneOf/1`: added, {\"const\":2}",
                "`/oneOf/1`: removed, was {\"maxLength\":9,\"minLength\":1,\"type\":\"string\"}",
            ],
        ),
        (
            json!({ "anyOf": [{ "type": "string", "minLength": 1, "maxLength": 9, "format": "date" }, { "const": 1 }] }),
            json!({ "anyOf": [{ "const": 1 }, { "type": "string", "minLength": 1, "maxLength": 9, "format": "time" }] }),
            vec!["`/anyOf/1/format`: \"date\" -> \"time\""],
        ),
        (
            json!({ "prefixItems": [{ "type": "string" }, {}] }),
            json!({ "prefixItems": [{ "type": "null" }] }),
            vec!["`/prefixItems/0/type`: \"string\" -> \"null\"", "`/prefixItems/1`: removed, was {}"],
        ),
        (
            json!({ "dependentRequired": { "a": ["b", "c"] } }),
            json!({ "dependentRequired": { "a": ["c"], "d": ["e"] } }),
            vec!["`/dependentRequired/a`: \"b\" removed", "`/dependentRequired/d`: added, [\"e\"]"],
        ),
        (json!({ "required": ["a", "b"] }), json!({ "required": ["b", "a"] }), vec![]),
        (json!({ "title": "x" }), json!({ "description": "y" }), vec![]),
        (
            json!({ "properties": { "a/b~c": { "minimum": 1 } } }),
            json!({ "properties": { "a/b~c": { "minimum": 2 } } }),
            vec!["`/properties/a~1b~0c/minimum`: 1 -> 2"],
        ),
        (
            json!({ "const": "x".repeat(100) }),
            json!({ "const": 1 }),
            vec!["`/const`: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… -> 1"],
        ),
    ];
    for (old, new, words) in cases {
        assert_eq!(said(&old, &new), words, "{old} -> {new}");
    }
}

#[test]
fn two_that_were_renamed_could_be_either() {
    let of = |names: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        json!({ "properties": properties })
    };
    assert_eq!(said(&of(&["a", "b"]), &of(&["c", "d"])).len(), 4);
    assert_eq!(said(&of(&["a", "b"]), &of(&["c", "b"])), ["`/properties/c`: was named `a`"]);
}

#[test]
fn another_way_of_reading_is_a_change() {
    let schema = json!({ "format": "date" });
    let lax = Bundle::value(&schema, Draft::Draft7).unwrap();
    let strict = lax.clone().formats(true);
    let said: Vec<String> = edits(&lax, &strict).iter().map(Edit::to_string).collect();
    assert_eq!(said, ["the schema: `format` is an annotation -> `format` is a rule"]);
}

#[test]
fn each_edit_taken_back_is_an_edit_less() {
    let old = json!({
        "type": ["object", "null"],
        "properties": {
            "a": { "type": "string", "maxLength": 9 }, "gone": { "type": "integer" }, "was": { "minLength": 3 },
            "mood": { "enum": ["a", "b"] }, "list": { "items": { "anyOf": [{ "const": 1 }, { "const": 2 }] } },
        },
        "required": ["a", "gone", "was"],
    });
    let new = json!({
        "type": ["object"],
        "properties": {
            "a": { "type": "string", "minLength": 1, "maxLength": 8 }, "is": { "minLength": 3 }, "more": {},
            "mood": { "enum": ["b", "c"] }, "list": { "items": { "anyOf": [{ "const": 1 }, { "const": 3 }] } },
        },
        "required": ["a", "more"],
    });
    let (old, new) = (bundle(&old), bundle(&new));
    let (before, after) = (Form::of(&old), Form::of(&new));
    let all = edits(&old, &new);
    assert_eq!(all.len(), 12, "{all:?}");
    for edit in &all {
        let form = undone(&after, &before, edit).unwrap();
        let (made, resolved) = (form.bundle().unwrap(), form.resolved([&old, &new]).unwrap());
        assert_eq!(*resolved.bundle(), made);
        assert!(resolved.is_shared(), "{edit}");
        let left = edits(&old, &made);
        assert_eq!(left.len(), all.len() - 1, "{edit} taken back leaves {left:?}");
    }
    let back = all.iter().rev().try_fold(after, |form, edit| undone(&form, &before, edit)).unwrap();
    assert_eq!(edits(&old, &back.bundle().unwrap()), []);
}

#[test]
fn a_form_between_two_contracts_is_the_contract_of_its_text() {
    let cases: Vec<(&str, u64)> = (0..40).flat_map(|index| DRAFTS.map(|draft| (draft, index))).collect();
    let counts = stack::each(&cases, |(draft, index)| {
        let mut random = Random::new(&[83, *index]);
        let schema = schemas::schema(draft, 79, *index);
        let changed = mutate::changed(draft, &schema, &mut random);
        let part = json!({ "definitions": { "a": { "type": "string" }, "b": { "maximum": 3.0 } } });
        let event = |schema: &Value, other: &str| {
            let properties =
                json!({ "v": schema, "w": { "$ref": format!("../../shared/part.json#/definitions/{other}") } });
            let own = json!({ "type": "object", "properties": properties });
            let documents = json!({ "events/a/b.json": own, "shared/part.json": part });
            let form = json!({ "draft": draft.trim_start_matches("draft"), "formats": true, "root": "events/a/b.json",
                "documents": documents });
            Bundle::parse(&form.to_string()).ok()
        };
        let other = random.pick(&["a", "b"]);
        let (Some(old), Some(new)) = (event(&schema, "a"), event(&changed, other)) else { return 0 };
        let (before, after) = (Form::of(&old), Form::of(&new));
        let mut shared = 0;
        for edit in edits(&old, &new) {
            let Some(form) = undone(&after, &before, &edit) else { continue };
            let (resolved, bundle) = (form.resolved([&old, &new]), form.bundle());
            assert_eq!(resolved.as_ref().map(Resolved::bundle), bundle.as_ref(), "{old} {new} {edit}");
            let (Some(resolved), Some(bundle)) = (resolved, bundle) else { continue };
            // a form that isn't shared is read from its text
            shared += usize::from(resolved.is_shared());
            let (alone, old) = (Resolved::contract(&bundle), Resolved::contract(&old));
            assert_eq!(compare::verdict(&old, &resolved, BUDGET), compare::verdict(&old, &alone, BUDGET));
            assert_eq!(compare::verdict(&resolved, &old, BUDGET), compare::verdict(&alone, &old, BUDGET));
        }
        shared
    });
    let shared: usize = counts.unwrap().into_iter().sum();
    assert!(shared > 50, "{shared}");
}
