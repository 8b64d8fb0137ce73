//! Formulas of `unevaluatedProperties` and `unevaluatedItems`.

use std::collections::BTreeSet;

use super::{Lowering, SchemaView, items};
use crate::compare::formula::{Atom, Index, Lit, Name};
use crate::json_type::JsonType;
use crate::schema::draft::Draft;
use crate::schema::load::{Json, Node};
use crate::schema::schemas::Loc;

/// The maximum number of combined conditions: each doubles the cases.
const MOST_CASES: usize = 8;
/// The maximum depth of nested schemas that apply to one value.
const DEEPEST: usize = 200;
/// The maximum number of schemas that apply to one value.
const MOST_SCHEMAS: usize = 2_000;

/// The parts of a value that some rules evaluate if all conditions hold.
#[derive(Clone, Debug, Default)]
struct EvaluatedParts {
    /// The conditions; empty if the rules always apply.
    when: Vec<Lit>,
    names: BTreeSet<Name>,
    patterns: BTreeSet<Index>,
    all_members: bool,
    /// The number of first items that are evaluated.
    first: u64,
    all_items: bool,
    /// The formulas of `contains`: an item that satisfies one of them is evaluated.
    found: BTreeSet<Lit>,
}

impl EvaluatedParts {
    fn add(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.patterns.extend(&other.patterns);
        self.all_members |= other.all_members;
        self.first = self.first.max(other.first);
        self.all_items |= other.all_items;
        self.found.extend(&other.found);
    }
}

impl Lowering<'_> {
    pub(super) fn unevaluated(&mut self, schema: &SchemaView<'_>, parts: &mut Vec<Lit>) {
        let (members, items) = ("unevaluatedProperties", "unevaluatedItems");
        if schema.get(members).is_none() && schema.get(items).is_none() {
            return;
        }
        let mut all = Vec::new();
        let complete = self.looked(schema.loc, schema, &[], true, 0, &mut all);
        let mut always = EvaluatedParts::default();
        all.iter().filter(|looked| looked.when.is_empty()).for_each(|looked| always.add(looked));
        all.retain(|looked| !looked.when.is_empty());
        for (keyword, type_) in [(members, JsonType::Object), (items, JsonType::Array)] {
            if schema.get(keyword).is_none() {
                continue;
            }
            let rest = self.schema(&schema.at(keyword), schema.way);
            let lit = match type_ {
                _ if !complete => None,
                JsonType::Object => self.unevaluated_members(&always, &all, rest),
                _ => self.unevaluated_items(&always, &all, rest),
            };
            let lit = lit.unwrap_or_else(|| {
                let reason = "the members or items that it applies to depend on too many conditions".to_owned();
                self.opaque_schema(schema.loc, keyword, schema.way, reason)
            });
            parts.push(self.only(type_, lit));
        }
    }

    fn condition(&mut self, looked: &EvaluatedParts) -> Lit {
        self.formulas.all(looked.when.iter().copied())
    }

    fn unevaluated_members(
        &mut self,
        always: &EvaluatedParts,
        conditional: &[EvaluatedParts],
        rest: Lit,
    ) -> Option<Lit> {
        if always.all_members {
            return Some(Lit::TRUE);
        }
        let mut any = Vec::new();
        for looked in conditional.iter().filter(|looked| looked.all_members) {
            any.push(self.condition(looked));
        }
        let some = conditional.iter().filter(|looked| !looked.all_members);
        let (by_pattern, by_name): (Vec<&EvaluatedParts>, Vec<&EvaluatedParts>) =
            some.partition(|looked| !looked.patterns.is_subset(&always.patterns));
        if by_pattern.len() > MOST_CASES {
            return None;
        }
        any.push(
            self.cases(&by_pattern, always.clone(), &mut |lowering, looked| {
                lowering.named_cases(&looked, &by_name, rest)
            }),
        );
        Some(self.formulas.any(any))
    }

    /// Returns the formula for members that are evaluated only under conditions: one of the conditions holds, or the
    /// remaining rule applies.
    fn named_cases(&mut self, always: &EvaluatedParts, conditional: &[&EvaluatedParts], rest: Lit) -> Lit {
        let names: BTreeSet<&Name> = conditional.iter().flat_map(|looked| &looked.names).collect();
        let mut parts = Vec::new();
        for name in names.iter().filter(|name| !always.names.contains(**name)) {
            if always.patterns.iter().any(|pattern| self.tables.matches(*pattern, name) == Some(true)) {
                continue;
            }
            let mut any = Vec::new();
            for looked in conditional.iter().filter(|looked| looked.names.contains(*name)) {
                any.push(self.condition(looked));
            }
            // it may be unknown whether a pattern of `always` matches the name
            for pattern in &always.patterns {
                if self.tables.matches(*pattern, name).is_none() {
                    let held = self.formulas.atom(Atom::Matching { pattern: *pattern, lit: Lit::FALSE });
                    any.push(!held);
                }
            }
            any.push(self.formulas.atom(Atom::Member { name: (*name).clone(), lit: rest }));
            parts.push(self.formulas.any(any));
        }
        let names = always.names.iter().chain(names).cloned().collect();
        parts.push(self.others(names, always.patterns.iter().copied().collect(), rest));
        self.formulas.all(parts)
    }

    fn unevaluated_items(&mut self, always: &EvaluatedParts, conditional: &[EvaluatedParts], rest: Lit) -> Option<Lit> {
        if always.all_items {
            return Some(Lit::TRUE);
        }
        let mut any = Vec::new();
        for looked in conditional.iter().filter(|looked| looked.all_items) {
            any.push(self.condition(looked));
        }
        let some = conditional.iter().filter(|looked| !looked.all_items);
        let (by_found, by_place): (Vec<&EvaluatedParts>, Vec<&EvaluatedParts>) =
            some.partition(|looked| !looked.found.is_subset(&always.found));
        let by_place: Vec<&EvaluatedParts> =
            by_place.into_iter().filter(|looked| looked.first > always.first).collect();
        let last = by_place.iter().map(|looked| looked.first).max().unwrap_or(always.first);
        if by_found.len() > MOST_CASES || last - always.first > 1_000 {
            return None;
        }
        any.push(self.cases(&by_found, always.clone(), &mut |lowering, looked| {
            let rest = lowering.formulas.any(looked.found.iter().copied().chain([rest]));
            let last = last.max(looked.first);
            let mut parts = Vec::new();
            for index in looked.first..last {
                let mut any = Vec::new();
                for place in by_place.iter().filter(|place| place.first > index) {
                    any.push(lowering.condition(place));
                }
                any.push(lowering.formulas.atom(Atom::Item { index, lit: rest }));
                parts.push(lowering.formulas.any(any));
            }
            parts.push(lowering.formulas.atom(Atom::Items { from: last, lit: rest }));
            lowering.formulas.all(parts)
        }));
        Some(self.formulas.any(any))
    }

    /// Combines the cases of the conditions. A condition that holds only adds evaluated parts, so the case without it
    /// needs no negation.
    fn cases(
        &mut self,
        conditional: &[&EvaluatedParts],
        always: EvaluatedParts,
        made: &mut impl FnMut(&mut Self, EvaluatedParts) -> Lit,
    ) -> Lit {
        let Some((looked, others)) = conditional.split_first() else { return made(self, always) };
        let mut more = always.clone();
        more.add(looked);
        let condition = self.condition(looked);
        let with = self.cases(others, more, made);
        let without = self.cases(others, always, made);
        let with = self.formulas.all([condition, with]);
        self.formulas.any([with, without])
    }

    /// Collects the parts that the rules of a schema evaluate. Returns false if there are too many.
    fn looked(
        &mut self,
        loc: &Loc,
        outer: &SchemaView<'_>,
        when: &[Lit],
        top: bool,
        deep: usize,
        out: &mut Vec<EvaluatedParts>,
    ) -> bool {
        let Some(node) = self.schemas.node(loc) else { return true };
        if deep > DEEPEST || out.len() > MOST_SCHEMAS {
            return false;
        }
        let way = self.farther(loc, outer.way);
        let schemas = self.schemas;
        let schema = SchemaView::new(schemas, loc, node, &way);
        for target in self.targets(loc, &way) {
            if !self.looked(&target, &schema, when, false, deep + 1, out) {
                return false;
            }
        }
        if schema.draft.ref_stands_alone() && schemas.refs.contains_key(loc) {
            return true;
        }
        let own = self.own(&schema, top);
        out.push(EvaluatedParts { when: when.to_vec(), ..own });
        let mut inner: Vec<(Loc, Vec<Lit>)> = Vec::new();
        let also = |more: Lit| when.iter().copied().chain([more]).collect::<Vec<_>>();
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let count = schema.get(keyword).map_or(0, |node| node.items().len());
            for index in 0..count {
                let at = schema.at(keyword).step(&index.to_string());
                let when = if keyword == "allOf" { when.to_vec() } else { also(self.schema(&at, &way)) };
                inner.push((at, when));
            }
        }
        if schema.get("if").is_some() {
            let test = self.schema(&schema.at("if"), &way);
            inner.push((schema.at("if"), also(test)));
            for (keyword, test) in [("then", test), ("else", !test)] {
                if schema.get(keyword).is_some() {
                    inner.push((schema.at(keyword), also(test)));
                }
            }
        }
        for keyword in ["dependencies", "dependentSchemas"] {
            for member in schema.get(keyword).map_or(&[][..], Node::members) {
                if !matches!(member.value.json, Json::Array(_)) {
                    let there = self.required(&member.key);
                    inner.push((schema.at(keyword).step(&member.key), also(there)));
                }
            }
        }
        inner.into_iter().all(|(at, when)| self.looked(&at, &schema, &when, false, deep + 1, out))
    }

    /// Returns the parts that a schema's own keywords evaluate, without the subschemas that apply to the same value.
    fn own(&mut self, schema: &SchemaView<'_>, top: bool) -> EvaluatedParts {
        let mut own = EvaluatedParts::default();
        for member in schema.get("properties").map_or(&[][..], Node::members) {
            own.names.insert(self.formulas.name(&member.key));
        }
        for member in schema.get("patternProperties").map_or(&[][..], Node::members) {
            let at = schema.at("patternProperties").step(&member.key);
            let path = self.path(&at);
            own.patterns.insert(self.tables.pattern(&member.key, || path));
        }
        own.all_members =
            schema.get("additionalProperties").is_some() || !top && schema.get("unevaluatedProperties").is_some();
        let (first, rest) = items::keywords(schema);
        own.first = schema.get(first).map_or(0, |node| node.items().len() as u64);
        own.all_items = schema.get(rest).is_some() || !top && schema.get("unevaluatedItems").is_some();
        if schema.draft >= Draft::Draft202012 && schema.get("contains").is_some() {
            own.found.insert(self.schema(&schema.at("contains"), schema.way));
        }
        own
    }
}
