//! Tests that contracts gathered together equal those gathered alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use twyla_generate::random::Random;
use twyla_generate::{DRAFTS, schemas};

use super::gather::{self, Gatherer};
use crate::schema::draft::{Dialects, Draft};
use crate::schema::load::{File, FileRole, Node};
use crate::schema::register;
use crate::schema::schemas::{Loc, Schemas};
use crate::stack;

/// Events that reach different definitions of one document.
fn folder(draft: &str, index: u64) -> Schemas {
    let mut random = Random::new(&[61, index]);
    let mut definitions: serde_json::Map<String, Value> =
        (0..4).map(|part| (format!("d{part}"), schemas::schema(draft, 59, index * 4 + part))).collect();
    let local = |random: &mut Random| json!({ "$ref": format!("#/definitions/d{}", random.below(4)) });
    definitions.insert(
        "d4".to_owned(),
        json!({ "properties": { "a": local(&mut random), "b": { "$ref": "#/definitions/d4" } } }),
    );
    let anchor = json!({ "$id": "https://example.org/tree", "$dynamicAnchor": "node",
        "items": { "$dynamicRef": "#node" }, "properties": { "a": { "format": "color" } } });
    definitions.insert("tree".to_owned(), anchor);
    let mut files = vec![("shared/part.json".to_owned(), FileRole::Shared, json!({ "definitions": definitions }))];
    for event in 0..8 {
        let names: Vec<String> = (0..1 + random.below(3)).map(|_| format!("d{}", random.below(5))).collect();
        let refer =
            |name: &String| (name.clone(), json!({ "$ref": format!("../../shared/part.json#/definitions/{name}") }));
        let mut properties: serde_json::Map<String, Value> = names.iter().map(refer).collect();
        if random.chance(30) {
            properties.insert("tree".to_owned(), json!({ "$ref": "../../shared/part.json#/definitions/tree" }));
        }
        // only a dynamic reference leads to it
        let node = json!({ "$dynamicAnchor": "node", "maxLength": event });
        let own = json!({ "properties": properties, "$defs": { "node": node }, "title": "An event" });
        files.push((format!("events/a/b{event}.json"), FileRole::BesideRpc, own));
    }
    let file = |(path, role, root): (String, FileRole, Value)| {
        let root = Node::from(&root);
        File { role, shown: path.clone(), path, root, unread: false }
    };
    let draft = Draft::named(draft.trim_start_matches("draft")).unwrap_or_default();
    register::schemas(files.into_iter().map(file).collect(), draft, Dialects::default(), &mut Vec::new())
        .with_asserted(["color".to_owned()].into())
}

#[test]
fn a_contract_gathered_beside_others_is_that_gathered_alone() {
    let cases: Vec<(&str, u64)> = (0..20).flat_map(|index| DRAFTS.map(|draft| (draft, index))).collect();
    let counts = stack::each(&cases, |(draft, index)| {
        let schemas = folder(draft, *index);
        let roots: Vec<Loc> = (1..schemas.files.len()).map(Loc::root).collect();
        let alone: Vec<_> = roots.iter().map(|root| gather::bundle(&schemas, root)).collect();
        let (mut forward, mut back) = (Gatherer::new(&schemas), Gatherer::new(&schemas));
        for (root, alone) in roots.iter().zip(&alone) {
            assert_eq!(forward.bundle(root), *alone, "{draft} {index}");
        }
        for (root, alone) in roots.iter().zip(&alone).rev() {
            assert_eq!(back.bundle(root), *alone, "{draft} {index}");
        }
        let bundles: Vec<_> = roots.iter().map(|root| forward.bundle(root)).collect();
        let shared = bundles.iter().filter_map(|bundle| bundle.inner.documents.get("shared/part.json"));
        shared.map(Arc::as_ptr).collect::<BTreeSet<_>>().len()
    });
    let documents: usize = counts.unwrap().into_iter().sum();
    // events that reach the same definitions share a document, and others don't
    assert!((2 * cases.len()..8 * cases.len()).contains(&documents), "{documents}");
}
