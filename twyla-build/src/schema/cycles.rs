//! Reports cycles of schemas that apply to the same value and lead only to each other.

use std::collections::HashMap;

use crate::schema::load::Member;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::{Loc, Schemas};

/// The number of cycles that are reported, and the number of references shown for each.
const REPORTED: usize = 100;
const SHOWN: usize = 8;

/// Reports each cycle once.
pub(crate) fn report(schemas: &Schemas, problems: &mut Vec<Problem>) {
    // schemas on the current path with their index in `way`, and finished schemas as `None`
    let mut state: HashMap<Loc, Option<usize>> = HashMap::new();
    let mut reported = 0;
    for start in schemas.infos.keys() {
        if state.contains_key(start) {
            continue;
        }
        // depth-first without recursion, since a chain of references may be long
        let mut way = vec![(start.clone(), in_place(schemas, start))];
        state.insert(start.clone(), Some(0));
        while let Some((_, next)) = way.last_mut() {
            let Some(loc) = next.pop() else {
                if let Some((loc, _)) = way.pop() {
                    state.insert(loc, None);
                }
                continue;
            };
            match state.get(&loc) {
                Some(Some(from)) => {
                    reported += 1;
                    if reported > REPORTED {
                        return;
                    }
                    problems.extend(problem(schemas, way[*from..].iter().map(|(loc, _)| loc)));
                }
                Some(None) => {}
                None => {
                    state.insert(loc.clone(), Some(way.len()));
                    let next = in_place(schemas, &loc);
                    way.push((loc, next));
                }
            }
        }
    }
}

/// Returns the schemas that a schema applies to the same value.
fn in_place(schemas: &Schemas, loc: &Loc) -> Vec<Loc> {
    let Some(node) = schemas.node(loc) else { return Vec::new() };
    let mut out = Vec::new();
    if let Some(target) = schemas.refs.get(loc) {
        out.push(target.clone());
        if schemas.draft(loc).ref_stands_alone() {
            return out;
        }
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let count = node.get(keyword).filter(|_| schemas.knows(loc, keyword)).map_or(0, |node| node.items().len());
        out.extend((0..count).map(|index| loc.step(keyword).step(&index.to_string())));
    }
    for keyword in ["not", "if", "then", "else"] {
        let held = node.get(keyword).filter(|node| node.is_object() && schemas.knows(loc, keyword));
        out.extend(held.map(|_| loc.step(keyword)));
    }
    out
}

fn problem<'a>(schemas: &Schemas, ring: impl Iterator<Item = &'a Loc>) -> Option<Problem> {
    let refs: Vec<(&Loc, &Member)> = ring
        .filter(|loc| schemas.refs.contains_key(loc))
        .filter_map(|loc| Some((loc, schemas.node(loc)?.member("$ref")?)))
        .take(SHOWN + 1)
        .collect();
    let (loc, first) = refs.first()?;
    let shown = |member: &Member| format!("`{}`", member.value.str().unwrap_or_default());
    let mut chain: Vec<String> = refs.iter().take(SHOWN).map(|(_, member)| shown(member)).collect();
    if refs.len() > SHOWN {
        chain.push("…".to_owned());
    }
    chain.push(shown(first));
    let reference = first.value.str().unwrap_or_default().to_owned();
    Some(schemas.problem(loc, first.value.at, ProblemKind::Circular { reference, chain: chain.join(" -> ") }))
}
