//! `x-sensitive`: which values logs, errors and dead letters must not show.

use std::collections::HashSet;

use crate::schema::draft::{HOLDERS, Subschemas};
use crate::schema::load::{Json, Node};
use crate::schema::schemas::{Loc, Schemas};

/// The keyword: an annotation that is `true` in the schema of a sensitive value.
pub(crate) const KEYWORD: &str = "x-sensitive";

/// The maximum number of sensitive values in a contract; with more, the whole value is sensitive.
const MOST: usize = 200;

/// The sensitive values of a folder.
pub(crate) struct Sensitive<'a> {
    schemas: &'a Schemas,
    /// The schemas with the keyword, and those that lead to one.
    leading: HashSet<Loc>,
}

/// What a search for sensitive values leaves out.
#[derive(Clone, Copy, Default)]
struct LeftOut<'a> {
    /// These schemas, and references to them.
    schemas: &'a [Loc],
    /// Schemas that contain themselves; otherwise their values are sensitive.
    recursion: bool,
}

/// A subschema, by the value that it applies to.
enum Child {
    Same(Loc),
    Property(String, Loc),
    Any(Loc),
}

impl<'a> Sensitive<'a> {
    /// Finds the sensitive schemas of a folder.
    pub(crate) fn of(schemas: &'a Schemas) -> Self {
        let says = schemas.infos.keys().filter(|loc| says(schemas, loc)).cloned();
        Self { schemas, leading: schemas.leading_to(says) }
    }

    /// Returns the sensitive values within a value of a schema, as JSON Pointers; a step `*` matches any item or member.
    pub(crate) fn within(&self, loc: &Loc) -> Vec<String> {
        self.found(loc, LeftOut::default())
    }

    /// Returns the sensitive values within a value of a schema, without what `alternatives` say, and without those within a value
    /// of the same schema.
    pub(crate) fn without(&self, loc: &Loc, alternatives: &[Loc]) -> Vec<String> {
        self.found(loc, LeftOut { schemas: alternatives, recursion: true })
    }

    fn found(&self, loc: &Loc, left_out: LeftOut<'_>) -> Vec<String> {
        let mut out = Vec::new();
        self.walk(loc, String::new(), left_out, &mut Vec::new(), &mut out);
        if out.len() > MOST {
            return vec![String::new()];
        }
        out.sort();
        out.dedup();
        out
    }

    /// Returns whether a value of a schema is sensitive itself, or contains sensitive items or members without a type of
    /// their own.
    pub(crate) fn whole(&self, loc: &Loc, is_typed: bool) -> bool {
        self.leading.contains(loc)
            && self.within(loc).iter().any(|pointer| !is_typed || pointer.split('/').skip(1).all(|step| step == "*"))
    }

    fn walk(&self, loc: &Loc, pointer: String, left_out: LeftOut<'_>, open: &mut Vec<Loc>, out: &mut Vec<String>) {
        if !self.leading.contains(loc) || left_out.schemas.contains(loc) || out.len() > MOST {
            return;
        }
        // a recursive value would have infinitely many pointers, so it is sensitive from here on
        let is_recursive = open.contains(loc);
        if says(self.schemas, loc) || is_recursive && !left_out.recursion {
            out.push(pointer);
            return;
        }
        if is_recursive {
            return;
        }
        open.push(loc.clone());
        for next in self.next(loc) {
            match next {
                Child::Same(to) => self.walk(&to, pointer.clone(), left_out, open, out),
                Child::Property(name, to) => {
                    self.walk(&to, crate::schema::load::step(&pointer, &name), left_out, open, out)
                }
                Child::Any(to) => self.walk(&to, format!("{pointer}/*"), left_out, open, out),
            }
        }
        open.pop();
    }

    fn next(&self, loc: &Loc) -> Vec<Child> {
        let mut out = Vec::new();
        let references = self.schemas.refs.get(loc).into_iter().chain(self.schemas.dynamic.get(loc));
        out.extend(references.cloned().map(Child::Same));
        let members = self.schemas.node(loc).map_or(&[][..], Node::members);
        for member in members {
            let Some((keyword, holds)) = HOLDERS.iter().find(|(holder, _)| *holder == member.key) else { continue };
            let at = loc.step(keyword);
            // the name or index of each value, if the type holds several
            let held: Vec<Option<String>> = match (holds, &member.value.json) {
                (Subschemas::Named, Json::Object(members)) => members.iter().map(|one| Some(one.key.clone())).collect(),
                (Subschemas::Many | Subschemas::OneOrMany, Json::Array(items)) => {
                    (0..items.len()).map(|index| Some(index.to_string())).collect()
                }
                _ => vec![None],
            };
            for of in held {
                let to = of.as_ref().map_or_else(|| at.clone(), |of| at.step(of));
                out.push(match (*keyword, of) {
                    ("$defs" | "definitions" | "propertyNames" | "contentSchema", _) => continue,
                    ("properties" | "prefixItems" | "items", Some(of)) => Child::Property(of, to),
                    (
                        "items"
                        | "additionalItems"
                        | "unevaluatedItems"
                        | "contains"
                        | "additionalProperties"
                        | "unevaluatedProperties"
                        | "patternProperties",
                        _,
                    ) => Child::Any(to),
                    _ => Child::Same(to),
                });
            }
        }
        out
    }
}

fn says(schemas: &Schemas, loc: &Loc) -> bool {
    schemas.node(loc).and_then(|node| node.get(KEYWORD)).is_some_and(|node| matches!(node.json, Json::Bool(true)))
}
