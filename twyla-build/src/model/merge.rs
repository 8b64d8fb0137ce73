//! Schemas that hold for one value beside each other, by `$ref` and `allOf`: where they just put objects together, and where a
//! tree has to hold them.

use std::collections::HashSet;

use super::reader::Reader;
use crate::schema::load::{Json, Node};
use crate::schema::schemas::Loc;

impl Reader<'_> {
    /// Whether there are rules beside a `$ref`, which hold too from 2019-09 on.
    pub(super) fn extends(&self, loc: &Loc) -> bool {
        !self.schemas.draft(loc).ref_stands_alone() && self.rules_of(loc).any(|keyword| keyword != "$ref")
    }

    pub(super) fn leave_beside_ref(&mut self, loc: &Loc) {
        if self.extends(loc) {
            let others: Vec<&str> = self.rules_of(loc).filter(|keyword| *keyword != "$ref").collect();
            others.into_iter().for_each(|keyword| self.leave(loc, keyword, format!("`{keyword}` beside `$ref`")));
        }
    }

    /// Leaves the keywords that combine schemas to a tree, where they don't just put objects together.
    pub(super) fn combinators(&mut self, loc: &Loc) {
        let merged = self.merges(loc);
        let found: Vec<&str> = self.rules_of(loc).collect();
        for keyword in ["$ref", "allOf", "anyOf", "oneOf", "not", "if"] {
            let told = merged && matches!(keyword, "$ref" | "allOf");
            if !told && found.contains(&keyword) {
                self.leave(loc, keyword, format!("`{keyword}`"));
            }
        }
        if found.contains(&"if") {
            for keyword in ["then", "else"].into_iter().filter(|keyword| found.contains(keyword)) {
                self.leave(loc, keyword, "`if`");
            }
        }
        if !merged && found.contains(&"$ref") {
            // the other schema may say something else of a property that both declare
            for keyword in ["properties", "required"].into_iter().filter(|keyword| found.contains(keyword)) {
                self.leave(loc, keyword, format!("`{keyword}` beside `$ref`"));
            }
        }
    }

    /// Whether the objects of `allOf` and `$ref` can be put together to one struct that tells all: they declare and require
    /// properties, and say nothing else, or that there are no others than those.
    pub(super) fn merges(&self, loc: &Loc) -> bool {
        self.merged(loc).is_some()
    }

    /// Whether what is put together is closed by one of its parts; none where it can't be.
    pub(super) fn merged(&self, loc: &Loc) -> Option<bool> {
        let mut seen = HashSet::from([loc.clone()]);
        let plain = self.implies_object(loc) && self.parts(loc).iter().all(|part| self.is_plain_part(part, &mut seen));
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
        // what else tells of members is the object's own to combine with that
        let more =
            ["additionalProperties", "patternProperties", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies"];
        (!closes || !more.into_iter().any(|keyword| self.has(loc, keyword))).then_some(closes)
    }

    /// The schemas that hold too by `allOf` and `$ref`.
    fn parts(&self, loc: &Loc) -> Vec<Loc> {
        let count = self.get(loc, "allOf").map_or(0, |node| node.items().len());
        let all = (0..count).map(|index| loc.step("allOf").step(&index.to_string()));
        match self.schemas.refs.get(loc).cloned() {
            Some(target) if self.schemas.draft(loc).ref_stands_alone() => vec![target],
            target => target.into_iter().chain(all).collect(),
        }
    }

    fn is_plain_part(&self, loc: &Loc, seen: &mut HashSet<Loc>) -> bool {
        let told = |keyword: &str| match keyword {
            "properties" | "required" | "allOf" | "$ref" => true,
            "additionalProperties" => matches!(self.get(loc, keyword).map(|node| &node.json), Some(Json::Bool(false))),
            "type" => self.kinds(loc).is_some_and(|kinds| kinds == ["object"]),
            _ => false,
        };
        // what leads back to itself ends nowhere
        seen.insert(loc.clone())
            && !matches!(self.node(loc).json, Json::Bool(false))
            && self.rules_of(loc).all(told)
            && self.parts(loc).iter().all(|part| self.is_plain_part(part, seen))
    }

    /// Whether only an object can hold, by the schema or by one of those that hold too.
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
