//! Formulas of the keywords that apply further schemas to the same value.

use super::{Anchors, Lowering, SchemaView};
use crate::compare::formula::Lit;
use crate::schema::schemas::Loc;

impl Lowering<'_> {
    pub(super) fn references(&mut self, schema: &SchemaView<'_>, parts: &mut Vec<Lit>) {
        for target in self.targets(schema.loc, schema.way) {
            let lit = self.schema(&target, schema.way);
            parts.push(lit);
        }
    }

    /// Returns the targets of a schema's references, in the dynamic scope `way`.
    pub(super) fn targets(&self, loc: &Loc, way: &Anchors) -> Vec<Loc> {
        let mut out = Vec::from_iter(self.schemas.refs.get(loc).cloned());
        if let Some(reference) = self.scopes.dynamic(self.schemas, loc) {
            let outermost = reference
                .anchor
                .and_then(|anchor| way.iter().find(|(name, _)| *name == anchor).map(|(_, loc)| loc.clone()));
            out.push(outermost.unwrap_or(reference.first));
        }
        out
    }

    /// Lowers each schema of an array; `None` if the schema doesn't have the keyword.
    pub(super) fn listed(&mut self, schema: &SchemaView<'_>, keyword: &str) -> Option<Vec<Lit>> {
        let (items, at) = (schema.get(keyword)?.items(), schema.at(keyword));
        let each = items.iter().enumerate();
        Some(each.map(|(index, item)| self.read(&at.step(&index.to_string()), Some(item), schema.way)).collect())
    }

    pub(super) fn combined(&mut self, schema: &SchemaView<'_>, parts: &mut Vec<Lit>) {
        if let Some(all) = self.listed(schema, "allOf") {
            parts.extend(all);
        }
        if let Some(any) = self.listed(schema, "anyOf") {
            parts.push(self.formulas.any(any));
        }
        if let Some(one) = self.listed(schema, "oneOf") {
            parts.push(self.formulas.one(one));
        }
        if schema.get("not").is_some() {
            let not = self.schema(&schema.at("not"), schema.way);
            parts.push(!not);
        }
        if schema.get("if").is_some() {
            let test = self.schema(&schema.at("if"), schema.way);
            for (keyword, test) in [("then", test), ("else", !test)] {
                if schema.get(keyword).is_some() {
                    let branch = self.schema(&schema.at(keyword), schema.way);
                    parts.push(self.formulas.implies(test, branch));
                }
            }
        }
    }
}
