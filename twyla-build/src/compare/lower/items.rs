//! Formulas of the keywords of arrays.

use super::{Lowering, SchemaView};
use crate::compare::formula::{Atom, Lit};
use crate::schema::load::{Json, Node, size};

/// Returns two keywords: the one for the first items, and the one for the items after them.
pub(super) fn keywords(schema: &SchemaView<'_>) -> (&'static str, &'static str) {
    match schema.get("prefixItems") {
        Some(_) => ("prefixItems", "items"),
        None if schema.get("items").is_some_and(|node| matches!(node.json, Json::Array(_))) => {
            ("items", "additionalItems")
        }
        None => ("prefixItems", "items"),
    }
}

impl Lowering<'_> {
    pub(super) fn items(&mut self, schema: &SchemaView<'_>, parts: &mut Vec<Lit>) {
        let (first, rest) = keywords(schema);
        let items = schema.get(first).map_or(&[][..], Node::items);
        for (index, item) in items.iter().enumerate() {
            let lit = self.read(&schema.at(first).step(&index.to_string()), Some(item), schema.way);
            parts.push(self.formulas.atom(Atom::Item { index: index as u64, lit }));
        }
        if let Some(node) = schema.get(rest) {
            let lit = self.read(&schema.at(rest), Some(node), schema.way);
            parts.push(self.formulas.atom(Atom::Items { from: items.len() as u64, lit }));
        }
        if schema.get("contains").is_some() {
            let lit = self.schema(&schema.at("contains"), schema.way);
            let min = size(schema.get("minContains")).unwrap_or(1);
            let max = size(schema.get("maxContains"));
            parts.push(self.formulas.atom(Atom::Count { lit, min, max }));
        }
    }
}
