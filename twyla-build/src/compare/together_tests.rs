//! Tests that contracts resolved together are as each of them alone.

use std::sync::Arc;

use serde_json::{Value, json};
use twyla_generate::random::Random;
use twyla_generate::{DRAFTS, mutate, schemas};

use super::Bundle;
use super::bundle::Formats;
use super::document::Document;
use super::resolved::Resolved;
use super::shape::Types;
use super::together::{has_plain_root, read_together, together};
use super::witness::SharedSchemas;
use crate::compare::{self, WrittenDocuments};
use crate::schema::draft::Draft;
use crate::schema::load::{self, Node};
use crate::stack;

/// The budget of a comparison that isn't optimized.
const BUDGET: u64 = 100_000;

/// The forms of events, each of which reaches the schema in another way.
fn around(schema: &Value, draft: &str) -> Vec<Bundle> {
    let reference = json!({ "$ref": "../../shared/part.json" });
    let own = [
        json!({ "properties": { "v": reference, "a": { "type": "string" } }, "required": ["v"] }),
        json!({ "properties": { "v": { "type": "array", "items": reference } }, "additionalProperties": false }),
        json!({ "properties": { "v": { "not": reference } }, "required": ["v"] }),
        json!({ "properties": { "v": { "oneOf": [reference, { "type": "string" }] } } }),
        json!({ "properties": { "v": { "allOf": [reference, { "propertyNames": { "maxLength": 3 } }] } } }),
        json!({ "properties": { "v": { "allOf": [reference], "minProperties": 2 } }, "required": ["v"] }),
        json!({ "additionalProperties": reference, "maxProperties": 2 }),
        json!({ "properties": { "v": { "properties": { "w": reference, "u": { "$ref": "#" } } } } }),
    ];
    let bundle = |(index, mut own): (usize, Value)| {
        own["type"] = "object".into();
        let name = format!("events/a/b{index}.json");
        let documents = json!({ (name.clone()): own, "shared/part.json": schema });
        let form = json!({ "draft": draft, "formats": true, "root": name, "documents": documents });
        Bundle::parse(&form.to_string()).ok()
    };
    own.into_iter().enumerate().filter_map(bundle).collect()
}

#[test]
fn contracts_resolved_together_have_the_verdicts_and_witnesses_of_each_alone() {
    let made = (0..24).flat_map(|index| DRAFTS.map(|name| (name, index)));
    let cases: Vec<(&str, u64)> = made.collect();
    let counts = stack::each(&cases, |(name, index)| {
        let schema = schemas::schema(name, 41, *index);
        let changed = mutate::changed(name, &schema, &mut Random::new(&[43, *index]));
        let draft = name.trim_start_matches("draft");
        let (olds, news) = (around(&schema, draft), around(&changed, draft));
        let all: Vec<Bundle> = olds.iter().chain(&news).cloned().collect();
        let shared = together(&all).unwrap();
        let (mut together, mut broken) = (0, 0);
        for (one, other) in shared.iter().zip(shared.iter().skip(olds.len())) {
            if one.bundle.root() != other.bundle.root() {
                continue;
            }
            together += usize::from(one.schemas.is_some() && other.schemas.is_some());
            for (sender, reader) in [(one, other), (other, one)] {
                let alone = [sender, reader].map(|it| Resolved::contract(&it.bundle));
                let verdict = compare::verdict(&sender.resolved(), &reader.resolved(), BUDGET);
                assert_eq!(verdict, compare::verdict(&alone[0], &alone[1], BUDGET), "{schema} {changed}");
                broken += usize::from(matches!(verdict, compare::Verdict::Breaks(_)));
            }
        }
        (together, broken)
    });
    let sums = counts.unwrap().into_iter().fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
    assert!(sums.0 > 200 && sums.1 > 200, "{sums:?}");
}

#[test]
fn a_rule_about_shared_members_changes_the_types_of_its_own_contract_only() {
    let part = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let all = around(&part, "2020-12");
    let shared = together(&all).unwrap();
    // an event with a rule that looks at undeclared members keeps them, and the others don't
    for (one, alone) in shared.iter().zip(&all) {
        assert!(one.schemas.is_some());
        let closed = json!({ "v": { "a": "", "b": 1 } });
        let [together, alone] = [one.resolved(), Resolved::contract(alone)].map(|it| it.check().sends(&closed));
        assert_eq!(together, alone, "{}", one.bundle);
    }
    let types = shared.iter().map(|it| it.schemas.as_ref().is_some_and(|it| it.types.is_some()));
    let alone = types.filter(|together| !together).count();
    assert!((1..all.len()).contains(&alone), "{alone}");
}

/// A contract in canonical form, with `shared/part.json` beside it.
fn event(name: &str, own: &Value, part: &Value) -> Bundle {
    let documents = json!({ (name): own, "shared/part.json": part });
    let form = json!({ "draft": "2020-12", "formats": true, "root": name, "documents": documents });
    Bundle::parse(&form.to_string()).unwrap_or_else(|problems| panic!("{form}: {problems}"))
}

/// A union whose variants are distinguished by the members that they require. Values could have the members of several.
fn by_required_members(random: &mut Random, deep: usize) -> Value {
    let variant = |(index, name): (usize, &&str)| {
        if deep > 0 && random.chance(15) {
            let mut inner = by_required_members(random, deep - 1);
            inner["required"] = json!([name]);
            return inner;
        }
        let property = match random.below(5) {
            0 => json!({ "type": "string" }),
            1 => json!({ "type": "string", "format": "date-time" }),
            2 if deep > 0 => by_required_members(random, deep - 1),
            3 => json!({ "$ref": "../../shared/part.json" }),
            _ => json!({ "type": "integer" }),
        };
        let mut variant = json!({ "type": "object", "properties": { (*name): property }, "required": [name] });
        if random.chance(40) {
            variant["properties"][format!("n{index}")] =
                json!({ "type": ["string", "null"], "x-null-is-absent": true });
        }
        if random.chance(40) {
            variant["properties"][format!("o{index}")] = json!({ "type": "string", "format": "date" });
        }
        match random.below(6) {
            0 => variant["additionalProperties"] = json!({ "type": "integer" }),
            1 => variant["additionalProperties"] = json!(false),
            2 => variant["additionalProperties"] = json!({ "$ref": "../../shared/part.json" }),
            _ => {}
        }
        variant
    };
    let names: &[&str] = if deep > 1 { &["a", "b", "c"] } else { &["d", "e"] };
    json!({ "oneOf": names.iter().enumerate().map(variant).collect::<Vec<_>>() })
}

#[test]
fn types_read_together_are_those_of_each_contract_alone() {
    let cases: Vec<u64> = (0..60).collect();
    let counts = stack::each(&cases, |index| {
        let mut random = Random::new(&[47, *index]);
        let part = match random.below(3) {
            0 => {
                json!({ "type": "object", "properties": { "p": { "type": ["string", "null"], "x-null-is-absent": true } } })
            }
            1 => json!({ "type": "object", "properties": { "p": { "type": "string", "format": "date-time" } } }),
            _ => json!({ "type": "object", "properties": { "p": { "const": "p" } }, "required": ["p"] }),
        };
        let all: Vec<Bundle> = (0..4)
            .map(|number| {
                let union = by_required_members(&mut random, 2);
                let own = match random.below(4) {
                    0 => union,
                    1 => json!({ "type": "object", "properties": { "v": union } }),
                    2 => json!({ "type": "object", "properties": { "v": { "$ref": "../../shared/part.json" } }, "minProperties": 1 }),
                    _ => json!({ "type": "object", "properties": { "v": { "type": "array", "items": { "$ref": "../../shared/part.json" } } } }),
                };
                event(&format!("events/a/b{number}.json"), &own, &part)
            })
            .collect();
        let (mut together, mut alone) = (0, 0);
        for (shared, bundle) in read_together(&all)
            .unwrap()
            .into_iter()
            .chain(super::together::together(&all).unwrap().into_iter().map(Some))
            .zip(all.iter().cycle())
        {
            let Some(SharedSchemas { types, .. }) = shared.and_then(|it| it.schemas) else { continue };
            let Some(types) = types else {
                alone += 1;
                continue;
            };
            let by_itself = Resolved::contract(bundle);
            let wanted = by_itself.check().types.as_ref().map(Types::written);
            assert_eq!(Some(types.written()), wanted, "{bundle}");
            together += 1;
        }
        (together, alone)
    });
    let sums = counts.unwrap().into_iter().fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
    assert!(sums.0 > 50 && sums.1 > 50, "{sums:?}");
}

#[test]
fn a_variant_keeps_members_beside_one_that_does_however_its_contract_is_resolved() {
    let union = |b: &Value| {
        let a = json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"],
            "additionalProperties": { "type": "integer" } });
        json!({ "oneOf": [a, { "type": "object", "properties": b, "required": ["b"] }] })
    };
    let null = |type_: Value| json!({ "b": { "type": "string" }, "n": { "type": type_, "x-null-is-absent": true } });
    for [old, new] in [
        [json!({ "b": { "type": "string" } }), json!({ "b": { "type": "string" }, "c": { "type": "string" } })],
        [null(json!(["string", "null"])), json!({ "b": { "type": "string" }, "n": { "type": "string" } })],
    ] {
        let forms = [&old, &new].map(|b| event("events/a/b.json", &union(b), &json!({})));
        let shared = forms.each_ref().map(|form| read_together(std::slice::from_ref(form)).unwrap().remove(0).unwrap());
        let alone = forms.each_ref().map(Resolved::contract);
        let verdict = compare::verdict(&alone[0], &alone[1], BUDGET);
        assert!(matches!(verdict, compare::Verdict::Breaks(_)), "{new}: {verdict:?}");
        assert_eq!(compare::verdict(&shared[0].resolved(), &shared[1].resolved(), BUDGET), verdict, "{new}");
    }
}

#[test]
fn a_contract_whose_names_others_could_mean_is_resolved_alone() {
    let of = |a: Value| {
        let properties = json!({ "v": { "$ref": "../../shared/part.json" }, "a": a });
        let own = json!({ "type": "object", "properties": properties });
        let documents = json!({ "events/a/b.json": own, "shared/part.json": {} });
        let form = json!({ "draft": "2020-12", "formats": true, "root": "events/a/b.json", "documents": documents });
        Bundle::parse(&form.to_string()).unwrap()
    };
    assert!(has_plain_root(&of(json!({}))));
    for extra in [
        json!({ "$id": "https://example.org/a" }),
        json!({ "$anchor": "a" }),
        json!({ "$dynamicAnchor": "a" }),
        json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" }),
        json!({ "unevaluatedProperties": false }),
    ] {
        assert!(!has_plain_root(&of(extra.clone())), "{extra}");
    }
    for (id, is_plain) in [
        ("https://example.org/b.json", true),
        ("part.json", true),
        ("../events/a/b.json", false),
        ("twyla:///events/a/b.json#", false),
        ("../events/a/%62.json", false),
    ] {
        let own = json!({ "properties": { "v": { "$ref": "../../shared/part.json" } } });
        let part = json!({ "properties": { "p": { "$id": id } } });
        let documents = json!({ "events/a/b.json": own, "shared/part.json": part }).to_string();
        let documents = load::parse("documents", documents.into_bytes(), &mut Vec::new()).unwrap();
        let document = |node: &Node| Arc::new(Document::new(node.clone()));
        let documents =
            documents.members().iter().map(|member| (member.key.clone(), document(&member.value))).collect();
        let formats = Formats { asserted: true, in_every_draft: std::collections::BTreeSet::new() };
        let bundle = Bundle::new(Draft::Draft202012, formats, "events/a/b.json".to_owned(), documents);
        assert_eq!(has_plain_root(&bundle), is_plain, "{id}");
    }
}

#[test]
fn documents_with_one_text_and_two_names_are_two() {
    let part = json!({ "properties": { "w": { "$ref": "other.json" } } });
    let part_of = |folder: &str| json!({ "$ref": format!("../../shared/{folder}/part.json") });
    let [old, new] = [json!({ "type": "string" }), json!({ "type": "string", "maxLength": 2 })].map(|x| {
        let own = json!({ "type": "object", "properties": { "x": x, "v": { "anyOf": [part_of("a"), part_of("b")] } } });
        let documents = json!({ "events/a/b.json": own, "shared/a/part.json": part, "shared/b/part.json": part,
            "shared/a/other.json": { "type": "string" }, "shared/b/other.json": { "type": "integer" } });
        let form = json!({ "draft": "2020-12", "formats": true, "root": "events/a/b.json", "documents": documents });
        let node = load::parse("form", form.to_string().into_bytes(), &mut Vec::new()).unwrap();
        Bundle::as_written(&node, &WrittenDocuments::default()).unwrap()
    });
    let part = |folder: &str| &old.inner.documents[&format!("shared/{folder}/part.json")];
    assert!(!Arc::ptr_eq(part("a"), part("b")));
    let shared = read_together(&[old, new]).unwrap().into_iter().map(Option::unwrap).collect::<Vec<_>>();
    for [sender, reader] in [[&shared[0], &shared[1]], [&shared[1], &shared[0]]] {
        let alone = [sender, reader].map(|it| Resolved::contract(&it.bundle));
        let verdict = compare::verdict(&sender.resolved(), &reader.resolved(), BUDGET);
        assert_eq!(verdict, compare::verdict(&alone[0], &alone[1], BUDGET));
    }
}
