//! `x-sensitive`: which values are not to be shown to whoever reads logs, errors and dead letters.

use std::collections::HashSet;

use crate::schema::draft::{HOLDERS, Holds};
use crate::schema::load::{Json, Node};
use crate::schema::schemas::{Loc, Schemas};

/// The keyword: an annotation, `true` at the schema of a value that is nobody's to see.
pub(crate) const KEYWORD: &str = "x-sensitive";

/// Of a contract with more such values than these, everything is one.
const MOST: usize = 200;

/// What is known of a folder's sensitive values.
pub(crate) struct Sensitive<'a> {
    schemas: &'a Schemas,
    /// The schemas that say so, and those that lead to one.
    leading: HashSet<Loc>,
}

/// A value on the way from a schema to those within it: the same value, or one of its own.
enum Next {
    Same(Loc),
    Property(String, Loc),
    Any(Loc),
}

impl<'a> Sensitive<'a> {
    /// What the folder says.
    pub(crate) fn of(schemas: &'a Schemas) -> Self {
        let says = schemas.infos.keys().filter(|loc| says(schemas, loc)).cloned();
        Self { schemas, leading: schemas.leading_to(says) }
    }

    /// The sensitive values within a value of that schema, as JSON Pointers; a step `*` stands for each item or member.
    pub(crate) fn within(&self, loc: &Loc) -> Vec<String> {
        let mut out = Vec::new();
        self.walk(loc, String::new(), &mut Vec::new(), &mut out);
        if out.len() > MOST {
            return vec![String::new()];
        }
        out.sort();
        out.dedup();
        out
    }

    /// Whether a value of that schema is sensitive itself, or has items or members that are and no type that says so.
    pub(crate) fn whole(&self, loc: &Loc, is_typed: bool) -> bool {
        self.leading.contains(loc)
            && self.within(loc).iter().any(|pointer| !is_typed || pointer.split('/').skip(1).all(|step| step == "*"))
    }

    fn walk(&self, loc: &Loc, pointer: String, open: &mut Vec<Loc>, out: &mut Vec<String>) {
        if !self.leading.contains(loc) || out.len() > MOST {
            return;
        }
        // what holds itself has no end of pointers, so it is sensitive from there on
        if says(self.schemas, loc) || open.contains(loc) {
            out.push(pointer);
            return;
        }
        open.push(loc.clone());
        for next in self.next(loc) {
            match next {
                Next::Same(to) => self.walk(&to, pointer.clone(), open, out),
                Next::Property(name, to) => self.walk(&to, crate::schema::load::step(&pointer, &name), open, out),
                Next::Any(to) => self.walk(&to, format!("{pointer}/*"), open, out),
            }
        }
        open.pop();
    }

    fn next(&self, loc: &Loc) -> Vec<Next> {
        let mut out = Vec::new();
        let references = self.schemas.refs.get(loc).into_iter().chain(self.schemas.dynamic.get(loc));
        out.extend(references.cloned().map(Next::Same));
        let members = self.schemas.node(loc).map_or(&[][..], Node::members);
        for member in members {
            let Some((keyword, holds)) = HOLDERS.iter().find(|(holder, _)| *holder == member.key) else { continue };
            let at = loc.step(keyword);
            // what each is for: a name or a number, where there are several
            let held: Vec<Option<String>> = match (holds, &member.value.json) {
                (Holds::Named, Json::Object(members)) => members.iter().map(|one| Some(one.key.clone())).collect(),
                (Holds::Many | Holds::OneOrMany, Json::Array(items)) => {
                    (0..items.len()).map(|index| Some(index.to_string())).collect()
                }
                _ => vec![None],
            };
            for of in held {
                let to = of.as_ref().map_or_else(|| at.clone(), |of| at.step(of));
                out.push(match (*keyword, of) {
                    ("$defs" | "definitions" | "propertyNames" | "contentSchema", _) => continue,
                    ("properties" | "prefixItems" | "items", Some(of)) => Next::Property(of, to),
                    (
                        "items"
                        | "additionalItems"
                        | "unevaluatedItems"
                        | "contains"
                        | "additionalProperties"
                        | "unevaluatedProperties"
                        | "patternProperties",
                        _,
                    ) => Next::Any(to),
                    _ => Next::Same(to),
                });
            }
        }
        out
    }
}

fn says(schemas: &Schemas, loc: &Loc) -> bool {
    schemas.node(loc).and_then(|node| node.get(KEYWORD)).is_some_and(|node| matches!(node.json, Json::Bool(true)))
}
