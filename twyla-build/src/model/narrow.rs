//! Narrowed references: a value has the type of the schema that it refers to, and the narrowing rules become rule trees.

use std::collections::HashSet;

use super::narrow_docs::NARROWS;
use super::reader::SchemaReader;
use super::shape::{Shape, ValueType};
use super::types::{Body, Type};
use crate::schema::load::{Json, Node, steps};
use crate::schema::schemas::Loc;

/// The maximum number of references in one `allOf` that are compared, to find the one that declares all members of the
/// others. Of more references, the first ones are compared.
const MOST_WIDEST: usize = 32;

/// The maximum number of chained references that are followed.
const MOST_REFERENCES: usize = 32;

/// A reference and the rules that narrow it: whole schemas, and keywords beside the `$ref` or its `allOf`.
struct Narrowing<'a> {
    /// The schema that is referred to.
    target: Loc,
    parts: Vec<Loc>,
    beside: Vec<&'a str>,
}

impl<'a> SchemaReader<'a> {
    /// Reads `allOf` of one reference and schemas that only narrow it, and rules beside a `$ref` that only narrow it. `None`
    /// if the type of the target can't hold the values: a part declares further properties, or looks at undeclared ones.
    pub(super) fn narrowed(&mut self, loc: &Loc) -> Option<ValueType> {
        let narrowing = self.narrowing(loc)?;
        let target = &narrowing.target;
        if self.sensitive.within(loc) != self.sensitive.within(target) {
            return None;
        }
        let object = self.without_null(target);
        let all = || narrowing.parts.iter().chain([loc]);
        // decided before the type of the target is read: reading it generates a type, which might then have no use
        if self.is_union(&object) || self.implies_object(&object) {
            let names = self.declared_names(&object);
            let is_map = self.is_map(&object) && !self.is_union(&object);
            let widens = |part: &Loc| match is_map {
                // a map can't hold declared members, which each have a type of their own
                true => self.has(part, "properties"),
                false => !self.keeps_names(part, &names, target),
            };
            if all().any(widens) {
                return None;
            }
        }
        let held = self.held(target);
        if held.shape == Shape::Any {
            return None;
        }
        let kinds = self.kinds_of(&held.shape, &object);
        let implied = |reader: &Self, at: &Loc| {
            let allowed = reader.kinds(at).unwrap_or_default();
            let allows = |kind: &&str| allowed.contains(kind) || *kind == "integer" && allowed.contains(&"number");
            kinds.as_ref().is_some_and(|kinds| kinds.iter().all(allows))
        };
        for keyword in &narrowing.beside {
            if *keyword != "type" || !implied(self, loc) {
                self.leave(loc, keyword, format!("`{keyword}` {NARROWS}"));
            }
        }
        for part in &narrowing.parts {
            let rules: Vec<&str> = self.rules_of(part).collect();
            if !(rules.is_empty() || rules == ["type"] && implied(self, part)) {
                self.leave(part, "", format!("`allOf` {NARROWS}"));
            }
        }
        Some(held)
    }

    /// Returns the reference in a schema and the rules that narrow it; `None` if the schema isn't a narrowed reference.
    fn narrowing(&self, loc: &Loc) -> Option<Narrowing<'a>> {
        let rules: Vec<&str> = self.rules_of(loc).collect();
        let evaluated = ["unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef"];
        if rules.iter().any(|rule| evaluated.contains(rule)) {
            return None;
        }
        let narrowing = match self.schemas.refs.get(loc) {
            Some(target) => {
                let beside: Vec<&str> = rules.into_iter().filter(|rule| *rule != "$ref").collect();
                if !self.extends(loc) || beside.is_empty() {
                    return None;
                }
                Narrowing { target: target.clone(), parts: Vec::new(), beside }
            }
            None => {
                let count = self.get(loc, "allOf")?.items().len();
                if count == 1 && rules.len() == 1 {
                    return None;
                }
                let mut parts: Vec<Loc> = self.listed(loc, "allOf").collect();
                let is_reference = |part: &Loc| self.schemas.refs.contains_key(part) && !self.extends(part);
                let references: Vec<usize> = (0..count).filter(|at| parts.get(*at).is_some_and(is_reference)).collect();
                let widest = |at: &&usize| {
                    let names = self.declared_names(&self.without_null(&parts[**at]));
                    references.iter().all(|other| self.keeps_names(&parts[*other], &names, &parts[**at]))
                };
                let target = match &references[..] {
                    [only] => *only,
                    // the schema that declares all members of the others
                    several => *several.iter().take(MOST_WIDEST).find(widest).or_else(|| several.first())?,
                };
                let target = parts.remove(target);
                Narrowing { target, parts, beside: rules.into_iter().filter(|rule| *rule != "allOf").collect() }
            }
        };
        let pins = |part: &Loc| {
            let properties = self.get(part, "properties").map_or(&[][..], Node::members);
            properties.iter().any(|member| member.value.get("const").or_else(|| member.value.get("enum")).is_some())
        };
        // such a constant distinguishes the alternatives of a union, which need types of their own
        let distinguishes = is_alternative(loc) && narrowing.parts.iter().chain([loc]).any(pins);
        (!distinguishes).then_some(narrowing)
    }

    /// Follows references, and returns the schema of the values other than null.
    fn without_null(&self, loc: &Loc) -> Loc {
        let mut at = self.referred(loc);
        for _ in 0..MOST_REFERENCES {
            let mut rules = self.rules_of(&at);
            let (Some(keyword @ ("anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { break };
            let null = |node: &Node| node.get("type").and_then(Node::str) == Some("null");
            let index = match self.get(&at, keyword).map_or(&[][..], Node::items) {
                [first, second] if null(second) && !null(first) => "0",
                [first, second] if null(first) && !null(second) => "1",
                _ => break,
            };
            at = self.referred(&at.step(keyword).step(index));
        }
        at
    }

    /// Returns whether the rules of a part are only about the members in `names`, so that the type of the target can
    /// evaluate them.
    fn keeps_names(&self, part: &Loc, names: &HashSet<&str>, target: &Loc) -> bool {
        let (mut open, mut seen) = (vec![part.clone()], HashSet::from([target.clone()]));
        while let Some(at) = open.pop() {
            if !seen.insert(at.clone()) {
                continue;
            }
            if let Some(target) = self.schemas.refs.get(&at) {
                open.push(target.clone());
                if self.schemas.draft(&at).ref_stands_alone() {
                    continue;
                }
            }
            for keyword in self.rules_of(&at) {
                let Some(node) = self.get(&at, keyword) else { continue };
                let below = at.step(keyword);
                match keyword {
                    "properties" if node.members().iter().any(|member| !names.contains(&*member.key)) => return false,
                    "required" if node.items().iter().filter_map(Node::str).any(|name| !names.contains(name)) => {
                        return false;
                    }
                    "allOf" | "anyOf" | "oneOf" => {
                        open.extend(self.listed(&at, keyword));
                    }
                    "not" | "if" | "then" | "else" => open.push(below),
                    "additionalProperties" if !matches!(node.json, Json::Bool(true)) => return false,
                    "enum"
                    | "const"
                    | "patternProperties"
                    | "propertyNames"
                    | "minProperties"
                    | "maxProperties"
                    | "dependencies"
                    | "dependentRequired"
                    | "dependentSchemas"
                    | "unevaluatedProperties"
                    | "$dynamicRef"
                    | "$recursiveRef" => return false,
                    _ => {}
                }
            }
        }
        true
    }

    /// Returns the JSON types of a shape's values; `None` if not all are known.
    fn kinds_of(&self, shape: &Shape, object: &Loc) -> Option<Vec<&'static str>> {
        Some(match shape {
            Shape::Any => return None,
            Shape::Null => vec!["null"],
            Shape::Boolean => vec!["boolean"],
            Shape::Integer { .. } => vec!["integer"],
            Shape::Number => vec!["number"],
            Shape::String | Shape::Format(_) => vec!["string"],
            Shape::Array(_) => vec!["array"],
            Shape::Map(_) => vec!["object"],
            Shape::Named(id) => match self.types.get(*id) {
                Some(Some(Type { body: Body::Enum { .. }, .. })) => vec!["string"],
                _ if self.implies_object(object) => vec!["object"],
                _ => return None,
            },
            Shape::Replaced(replaced) => return self.kinds_of(&replaced.held.shape, object),
            Shape::Nullable(inner) => {
                let mut kinds = self.kinds_of(&inner.shape, object)?;
                kinds.push("null");
                kinds
            }
        })
    }
}

/// Returns whether a schema is an alternative of `oneOf` or `anyOf`.
fn is_alternative(loc: &Loc) -> bool {
    let steps: Vec<_> = steps(&loc.pointer).collect();
    matches!(&steps[..], [.., keyword, index] if matches!(&**keyword, "oneOf" | "anyOf") && index.parse::<usize>().is_ok())
}
