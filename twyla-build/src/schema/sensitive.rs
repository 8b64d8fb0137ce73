//! `x-sensitive`: the values that logs, errors and dead letters must not show.

use std::collections::HashSet;

use crate::schema::draft::{HOLDERS, Subschemas};
use crate::schema::load::{self, Json, Member, Node};
use crate::schema::schemas::{Loc, Schemas};

/// The keyword: an annotation that is `true` in the schema of a sensitive value.
pub(crate) const KEYWORD: &str = "x-sensitive";

/// The maximum number of sensitive values in a contract; with more, the whole value is sensitive.
const MOST: usize = 200;

/// The sensitive values of a folder.
pub(crate) struct Sensitive<'a> {
    schemas: &'a Schemas,
    /// The schemas with the keyword, and the schemas that lead to one of them.
    leading: HashSet<Loc>,
}

/// A value on the path to a sensitive value.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The schemas of this value that lead to the sensitive value.
    pub(crate) schemas: Vec<Loc>,
    /// The step to the next value; `None` if this value is sensitive.
    pub(crate) next: Option<Step>,
}

/// A step from a value to its items or members.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Property(String),
    Item(usize),
    Items,
    /// To members without fixed names: those that a schema doesn't declare, or those whose names match a pattern.
    Members {
        schema: Loc,
        keyword: &'static str,
        pattern: Option<String>,
    },
}

impl<'a> Sensitive<'a> {
    /// Finds the sensitive schemas of a folder.
    pub(crate) fn of(schemas: &'a Schemas) -> Self {
        let marked = schemas.infos.keys().filter(|loc| is_marked(schemas, loc)).cloned();
        Self { schemas, leading: schemas.leading_to(marked) }
    }

    /// Returns the sensitive values within a value of a schema, as JSON Pointers; a step `*` matches any item or member.
    pub(crate) fn within(&self, loc: &Loc) -> Vec<String> {
        let mut out: Vec<String> = self.paths(loc).iter().map(|path| pointer(path)).collect();
        out.sort();
        out.dedup();
        out
    }

    /// Returns the paths to the sensitive values within a value of a schema.
    pub(crate) fn paths(&self, loc: &Loc) -> Vec<Vec<Visit>> {
        let mut out = Vec::new();
        self.walk(loc, &mut Vec::new(), &mut Vec::new(), &mut out);
        if out.len() > MOST {
            return vec![vec![Visit { schemas: vec![loc.clone()], next: None }]];
        }
        out
    }

    /// Returns whether a value of a schema is sensitive as a whole: the value itself is, or all its items or members are.
    /// Unless `is_typed` is set, one sensitive value within it is enough.
    pub(crate) fn whole(&self, loc: &Loc, is_typed: bool) -> bool {
        self.leading.contains(loc)
            && self.within(loc).iter().any(|pointer| !is_typed || pointer.split('/').skip(1).all(|step| step == "*"))
    }

    fn walk(&self, loc: &Loc, path: &mut Vec<Visit>, open: &mut Vec<Loc>, out: &mut Vec<Vec<Visit>>) {
        if !self.leading.contains(loc) || out.len() > MOST {
            return;
        }
        if path.is_empty() {
            path.push(Visit { schemas: Vec::new(), next: None });
        }
        let Some(visit) = path.last_mut() else { return };
        visit.schemas.push(loc.clone());
        // a recursive value would have infinitely many paths, so it is sensitive from here on
        if is_marked(self.schemas, loc) || open.contains(loc) {
            out.push(path.clone());
        } else {
            open.push(loc.clone());
            for (step, to) in self.next(loc) {
                let is_same = step.is_none();
                if !is_same {
                    path.last_mut().into_iter().for_each(|visit| visit.next.clone_from(&step));
                    path.push(Visit { schemas: Vec::new(), next: None });
                }
                self.walk(&to, path, open, out);
                if !is_same {
                    path.pop();
                    path.last_mut().into_iter().for_each(|visit| visit.next = None);
                }
            }
            open.pop();
        }
        path.last_mut().and_then(|visit| visit.schemas.pop());
    }

    /// Returns the schemas that a schema leads to, each with the step from its value to theirs; `None` for the same
    /// value.
    fn next(&self, loc: &Loc) -> Vec<(Option<Step>, Loc)> {
        let mut out = Vec::new();
        let references = self.schemas.refs.get(loc).into_iter().chain(self.schemas.dynamic.get(loc));
        out.extend(references.cloned().map(|to| (None, to)));
        let members = self.schemas.node(loc).map_or(&[][..], Node::members);
        for member in members {
            let Some((keyword, holds)) = HOLDERS.iter().find(|(holder, _)| *holder == member.key) else { continue };
            let at = loc.step(keyword);
            let to_members = |pattern| Step::Members { schema: loc.clone(), keyword, pattern };
            match (holds, &member.value.json) {
                (Subschemas::Named, Json::Object(members)) => {
                    for Member { key, .. } in members.iter() {
                        let step = match *keyword {
                            "$defs" | "definitions" => continue,
                            "properties" => Some(Step::Property(key.clone())),
                            "patternProperties" => Some(to_members(Some(key.clone()))),
                            _ => None,
                        };
                        out.push((step, at.step(key)));
                    }
                }
                (Subschemas::Many | Subschemas::OneOrMany, Json::Array(items)) => {
                    let is_item = matches!(*keyword, "prefixItems" | "items");
                    let steps = (0..items.len()).map(|index| (is_item.then_some(Step::Item(index)), index));
                    out.extend(steps.map(|(step, index)| (step, at.step(&index.to_string()))));
                }
                _ => out.push(match *keyword {
                    "propertyNames" | "contentSchema" => continue,
                    "items" | "additionalItems" | "unevaluatedItems" | "contains" => (Some(Step::Items), at),
                    "additionalProperties" | "unevaluatedProperties" => (Some(to_members(None)), at),
                    _ => (None, at),
                }),
            }
        }
        out
    }
}

/// Returns the JSON Pointer of a path; a step `*` matches any item or member.
pub(crate) fn pointer(path: &[Visit]) -> String {
    let steps = path.iter().filter_map(|visit| visit.next.as_ref());
    steps.fold(String::new(), |pointer, step| match step {
        Step::Property(name) => load::step(&pointer, name),
        Step::Item(index) => load::step(&pointer, &index.to_string()),
        Step::Items | Step::Members { .. } => load::step(&pointer, "*"),
    })
}

fn is_marked(schemas: &Schemas, loc: &Loc) -> bool {
    schemas.node(loc).and_then(|node| node.get(KEYWORD)).is_some_and(|node| matches!(node.json, Json::Bool(true)))
}
