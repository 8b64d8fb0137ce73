//! Finds the place of the rules about a value, if no keyword refuses the value.

use std::collections::BTreeSet;

use super::matcher::Matcher;
use crate::schema::load::{Json, Node, steps};
use crate::schema::path::SchemaPath;
use crate::schema::schemas::{Loc, Schemas};

/// Returns the place of a keyword about the value at a pointer; if there isn't one, the place of a schema about that
/// value.
pub(crate) fn place_of(schemas: &Schemas, root: &Loc, pointer: &str, keyword: &str) -> SchemaPath {
    let mut about = around(schemas, BTreeSet::from([root.clone()]));
    for step in steps(pointer) {
        let next = about.iter().flat_map(|loc| below(schemas, loc, &step)).collect();
        let next = around(schemas, next);
        if next.is_empty() {
            break;
        }
        about = next;
    }
    let said = about.iter().find(|loc| schemas.node(loc).is_some_and(|node| node.get(keyword).is_some()));
    match said {
        Some(loc) => SchemaPath::of(schemas, &loc.step(keyword)),
        None => SchemaPath::of(schemas, about.first().unwrap_or(root)),
    }
}

/// Returns these schemas and all schemas that they apply to the same value.
fn around(schemas: &Schemas, from: BTreeSet<Loc>) -> BTreeSet<Loc> {
    let (mut open, mut all): (Vec<Loc>, _) = (from.iter().cloned().collect(), from);
    while let Some(loc) = open.pop() {
        let Some(node) = schemas.node(&loc) else { continue };
        let mut next = Vec::from_iter(schemas.refs.get(&loc).cloned());
        next.extend(schemas.dynamic.get(&loc).cloned());
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let count = node.get(keyword).map_or(0, |node| node.items().len());
            next.extend((0..count).map(|index| loc.step(keyword).step(&index.to_string())));
        }
        next.extend(["then", "else"].into_iter().filter(|keyword| node.get(keyword).is_some()).map(|it| loc.step(it)));
        open.extend(next.into_iter().filter(|loc| all.insert(loc.clone())));
    }
    all
}

/// Returns the schemas for an item or member.
fn below(schemas: &Schemas, loc: &Loc, step: &str) -> Vec<Loc> {
    let Some(node) = schemas.node(loc) else { return Vec::new() };
    let mut out = Vec::new();
    if node.get("properties").is_some_and(|node| node.get(step).is_some()) {
        out.push(loc.step("properties").step(step));
    }
    for pattern in node.get("patternProperties").map_or(&[][..], Node::members) {
        if Matcher::shared(&pattern.key).is_match(step) == Some(true) {
            out.push(loc.step("patternProperties").step(&pattern.key));
        }
    }
    for keyword in ["prefixItems", "items"] {
        let listed = step.parse().ok().and_then(|index: usize| node.get(keyword)?.items().get(index));
        if listed.is_some() {
            out.push(loc.step(keyword).step(step));
        }
    }
    if out.is_empty() {
        let is_index = step.bytes().all(|byte| byte.is_ascii_digit());
        let rest: &[&str] =
            if is_index { &["items", "additionalItems", "additionalProperties"] } else { &["additionalProperties"] };
        let schema = |keyword: &&&str| node.get(keyword).is_some_and(|node| matches!(node.json, Json::Object(_)));
        out.extend(rest.iter().filter(schema).map(|keyword| loc.step(keyword)));
    }
    out
}
