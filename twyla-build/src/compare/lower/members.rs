//! Formulas of the keywords of objects.

use super::{Lowering, SchemaView};
use crate::compare::formula::{Atom, Index, Lit, Name};
use crate::json_type::JsonType;
use crate::schema::load::{Json, Node};
use crate::schema::path::SchemaPath;

impl Lowering<'_> {
    pub(super) fn members(&mut self, schema: &SchemaView<'_>, parts: &mut Vec<Lit>) {
        for name in names(schema.get("required")) {
            parts.push(self.required(name));
        }
        let (mut declared, mut patterns) = (Vec::new(), Vec::new());
        let properties = schema.at("properties");
        for member in schema.get("properties").map_or(&[][..], Node::members) {
            let lit = self.read(&properties.step(&member.key), Some(&member.value), schema.way);
            let name = self.formulas.name(&member.key);
            declared.push(name.clone());
            parts.push(self.formulas.atom(Atom::Member { name, lit }));
        }
        for member in schema.get("patternProperties").map_or(&[][..], Node::members) {
            let at = schema.at("patternProperties").step(&member.key);
            let lit = self.read(&at, Some(&member.value), schema.way);
            let pattern = self.tables.pattern(&member.key, || SchemaPath::of(self.schemas, &at));
            patterns.push(pattern);
            parts.push(self.formulas.atom(Atom::Matching { pattern, lit }));
        }
        if schema.get("additionalProperties").is_some() {
            let lit = self.schema(&schema.at("additionalProperties"), schema.way);
            parts.push(self.others(declared, patterns, lit));
        }
        if schema.get("propertyNames").is_some() {
            let lit = self.schema(&schema.at("propertyNames"), schema.way);
            parts.push(self.formulas.atom(Atom::Names(lit)));
        }
        for keyword in ["dependencies", "dependentRequired", "dependentSchemas"] {
            for member in schema.get(keyword).map_or(&[][..], Node::members) {
                let then = match &member.value.json {
                    Json::Array(_) => {
                        let needed: Vec<Lit> = names(Some(&member.value)).map(|name| self.required(name)).collect();
                        self.formulas.all(needed)
                    }
                    _ => self.schema(&schema.at(keyword).step(&member.key), schema.way),
                };
                let there = self.required(&member.key);
                let rule = self.formulas.implies(there, then);
                parts.push(self.only(JsonType::Object, rule));
            }
        }
    }

    pub(super) fn required(&mut self, name: &str) -> Lit {
        let name = self.formulas.name(name);
        self.formulas.atom(Atom::Required(name))
    }

    /// Returns the formula: each member that `names` doesn't list and no pattern matches satisfies `lit`.
    pub(super) fn others(&mut self, mut names: Vec<Name>, mut patterns: Vec<Index>, lit: Lit) -> Lit {
        names.sort_unstable();
        names.dedup();
        patterns.sort_unstable();
        patterns.dedup();
        self.formulas.atom(Atom::Others { names: names.into(), patterns: patterns.into(), lit })
    }
}

fn names(node: Option<&Node>) -> impl Iterator<Item = &str> {
    node.map_or(&[][..], Node::items).iter().filter_map(Node::str)
}
