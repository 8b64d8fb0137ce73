//! Merges schemas that apply to one value by `$ref` and `allOf` if they only describe objects. The rules of other schemas
//! become a rule tree.

use std::collections::HashSet;

use super::reader::SchemaReader;
use crate::schema::load::{Json, Node};
use crate::schema::schemas::Loc;

impl SchemaReader<'_> {
    /// Returns whether there are rules beside a `$ref`, which apply from 2019-09 on.
    pub(super) fn extends(&self, loc: &Loc) -> bool {
        !self.schemas.draft(loc).ref_stands_alone() && self.rules_of(loc).any(|keyword| keyword != "$ref")
    }

    pub(super) fn leave_beside_ref(&mut self, loc: &Loc) {
        if self.extends(loc) {
            let others: Vec<&str> = self.rules_of(loc).filter(|keyword| *keyword != "$ref").collect();
            others.into_iter().for_each(|keyword| self.leave(loc, keyword, format!("`{keyword}` beside `$ref`")));
        }
    }

    /// Leaves the combining keywords to a tree, unless they only merge objects.
    pub(super) fn combinators(&mut self, loc: &Loc) {
        let merged = self.merges(loc);
        let found: Vec<&str> = self.rules_of(loc).collect();
        for keyword in ["$ref", "allOf", "anyOf", "oneOf", "not", "if"] {
            let expressed = merged && matches!(keyword, "$ref" | "allOf");
            if !expressed && found.contains(&keyword) {
                self.leave(loc, keyword, format!("`{keyword}`"));
            }
        }
        if found.contains(&"if") {
            for keyword in ["then", "else"].into_iter().filter(|keyword| found.contains(keyword)) {
                self.leave(loc, keyword, "`if`");
            }
        }
        if !merged && found.contains(&"$ref") {
            // the schema and the target of its `$ref` may declare the same property differently
            for keyword in ["properties", "required"].into_iter().filter(|keyword| found.contains(keyword)) {
                self.leave(loc, keyword, format!("`{keyword}` beside `$ref`"));
            }
        }
    }

    /// Returns whether one struct can express the merged objects of `allOf` and `$ref`: they only declare, require or
    /// exclude properties.
    pub(super) fn merges(&self, loc: &Loc) -> bool {
        self.merged(loc).is_some()
    }

    /// Returns whether one part closes the merged object; `None` if one struct can't express that object.
    pub(super) fn merged(&self, loc: &Loc) -> Option<bool> {
        let mut seen = HashSet::from([loc.clone()]);
        // a `type` that allows more than objects makes a union, which would not have the rules of the parts
        let is_object = self.kinds(loc).is_none_or(|kinds| {
            kinds.contains(&"object") && kinds.iter().all(|kind| matches!(*kind, "object" | "null"))
        });
        let plain = is_object
            && self.implies_object(loc)
            && self.parts(loc).iter().all(|part| self.is_plain_part(part, &mut seen));
        if !plain {
            return None;
        }
        let names = |loc: &Loc| self.get(loc, "properties").map_or(&[][..], Node::members).iter().map(|one| &*one.key);
        let closed = |part: &&Loc| *part != loc && self.has(part, "additionalProperties");
        let all: HashSet<&str> = seen.iter().flat_map(names).collect();
        let required = |loc: &Loc| self.get(loc, "required").map_or(&[][..], Node::items).iter().filter_map(Node::str);
        let mut closes = false;
        for part in seen.iter().filter(closed) {
            let own: HashSet<&str> = names(part).collect();
            if all.iter().any(|name| !own.contains(name))
                || seen.iter().flat_map(required).any(|name| !own.contains(name))
            {
                return None;
            }
            closes = true;
        }
        // other keywords about members belong to the object itself
        let more =
            ["additionalProperties", "patternProperties", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies"];
        (!closes || !more.into_iter().any(|keyword| self.has(loc, keyword))).then_some(closes)
    }

    /// Returns the schemas that apply to the same value by `allOf` and `$ref`.
    fn parts(&self, loc: &Loc) -> Vec<Loc> {
        let all = self.listed(loc, "allOf");
        match self.schemas.refs.get(loc).cloned() {
            Some(target) if self.schemas.draft(loc).ref_stands_alone() => vec![target],
            target => target.into_iter().chain(all).collect(),
        }
    }

    fn is_plain_part(&self, loc: &Loc, seen: &mut HashSet<Loc>) -> bool {
        let expressed = |keyword: &str| match keyword {
            "properties" | "required" | "allOf" | "$ref" => true,
            "additionalProperties" => matches!(self.get(loc, keyword).map(|node| &node.json), Some(Json::Bool(false))),
            "type" => self.kinds(loc).is_some_and(|kinds| kinds == ["object"]),
            _ => false,
        };
        // a cycle ends here
        seen.insert(loc.clone())
            && !matches!(self.node(loc).json, Json::Bool(false))
            && self.rules_of(loc).all(expressed)
            && self.parts(loc).iter().all(|part| self.is_plain_part(part, seen))
    }

    /// Returns whether the schema, or one that applies to the same value, allows only objects.
    pub(super) fn implies_object(&self, loc: &Loc) -> bool {
        let (mut asked, mut open) = (HashSet::from([loc.clone()]), vec![loc.clone()]);
        while let Some(loc) = open.pop() {
            let alone = self.schemas.draft(&loc).ref_stands_alone() && self.schemas.refs.contains_key(&loc);
            if !alone && self.kinds(&loc).is_some_and(|kinds| kinds == ["object"]) {
                return true;
            }
            open.extend(self.parts(&loc).into_iter().filter(|part| asked.insert(part.clone())));
        }
        false
    }
}
