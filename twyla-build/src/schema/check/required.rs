//! Checks `required`: a required property that no schema of the object declares is probably misspelled.

use std::collections::{HashMap, HashSet};

use crate::schema::load::Node;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::{Loc, Schemas};

/// Keywords whose schemas may declare further properties of the same object.
const COMBINING: [&str; 8] =
    ["$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties", "$dynamicRef", "$recursiveRef"];

/// The maximum number of schemas that are searched for one property.
const MOST_SCHEMAS: usize = 1_000;

/// Finds the required properties that no schema of the object declares.
pub(super) struct Undeclared<'a> {
    schemas: &'a Schemas,
    /// The schemas that refer to each schema; `None` until a search needs them.
    referring: Option<HashMap<&'a Loc, Vec<&'a Loc>>>,
}

impl<'a> Undeclared<'a> {
    pub(super) fn new(schemas: &'a Schemas) -> Self {
        Self { schemas, referring: None }
    }

    /// Reports each required property that neither `properties` nor another schema of the same object declares.
    pub(super) fn check(&mut self, loc: &Loc, node: &Node, problems: &mut Vec<Problem>) {
        let (Some(properties), Some(required)) = (node.get("properties"), node.get("required")) else { return };
        if COMBINING.iter().any(|keyword| node.get(keyword).is_some()) || !properties.is_object() {
            return;
        }
        for item in required.items() {
            if let Some(name) = item.str()
                && !self.declares(loc, None, name)
                && !self.is_declared_around(loc, name)
            {
                let declared = properties.members().iter().map(|member| member.key.as_str());
                let near = self.schemas.nearest(name, declared).map(str::to_owned);
                let kind = ProblemKind::RequiredUndeclared { name: name.to_owned(), near };
                problems.push(self.schemas.problem(loc, item.at, kind));
            }
        }
    }

    /// Returns whether a schema around this one, or one that refers to it, may declare the property of the same object.
    fn is_declared_around(&mut self, loc: &Loc, name: &str) -> bool {
        let mut seen = HashSet::from([loc.clone()]);
        let mut open = vec![loc.clone()];
        while let Some(at) = open.pop() {
            let around = around(self.schemas, &at);
            let beside = around.clone().map(|(around, keyword)| (around, Some(keyword)));
            let referring = self.referring(&at).into_iter().map(|from| (from, None));
            for (from, keyword) in beside.into_iter().chain(referring).collect::<Vec<_>>() {
                if seen.len() >= MOST_SCHEMAS || self.declares(&from, keyword, name) {
                    return true;
                }
                if seen.insert(from.clone()) {
                    open.push(from);
                }
            }
        }
        false
    }

    fn referring(&mut self, loc: &Loc) -> Vec<Loc> {
        let schemas = self.schemas;
        let referring = self.referring.get_or_insert_with(|| {
            let mut referring: HashMap<&Loc, Vec<&Loc>> = HashMap::new();
            for (from, target) in schemas.refs.iter().chain(&schemas.dynamic) {
                referring.entry(target).or_default().push(from);
            }
            referring
        });
        referring.get(loc).into_iter().flatten().map(|from| (*from).clone()).collect()
    }

    /// Returns whether a schema, or one that it combines, may declare the property. `except` is the keyword that
    /// contains the schema with the requirement: if it is `anyOf` or `oneOf`, its other schemas don't apply to the same
    /// values and aren't searched.
    fn declares(&self, loc: &Loc, except: Option<&'static str>, name: &str) -> bool {
        let mut seen = HashSet::from([loc.clone()]);
        let mut open = vec![(loc.clone(), except.filter(|keyword| matches!(*keyword, "anyOf" | "oneOf")))];
        while let Some((at, except)) = open.pop() {
            let Some(node) = self.schemas.node(&at) else { continue };
            if node.get("properties").is_some_and(|properties| properties.get(name).is_some())
                || node.get("patternProperties").is_some()
                || seen.len() >= MOST_SCHEMAS
            {
                return true;
            }
            let listed = ["allOf", "anyOf", "oneOf"].into_iter().filter(|keyword| Some(*keyword) != except);
            let listed = listed.flat_map(|keyword| {
                let count = node.get(keyword).map_or(0, |node| node.items().len());
                let under = at.step(keyword);
                (0..count).map(move |index| under.step(&index.to_string()))
            });
            let single = ["if", "then", "else"].into_iter().filter(|keyword| node.get(keyword).is_some());
            let dependent = ["dependentSchemas", "dependencies"].into_iter().flat_map(|keyword| {
                let under = at.step(keyword);
                let members = node.get(keyword).map_or(&[][..], Node::members);
                members.iter().map(move |member| under.step(&member.key))
            });
            let targets = self.schemas.refs.get(&at).into_iter().chain(self.schemas.dynamic.get(&at)).cloned();
            let next = listed.chain(single.map(|keyword| at.step(keyword))).chain(dependent).chain(targets);
            open.extend(next.filter(|next| seen.insert(next.clone())).map(|next| (next, None)));
        }
        false
    }
}

/// Returns the schema that applies this one to the same values, and the keyword with which it does; `None` without such
/// a schema.
fn around(schemas: &Schemas, loc: &Loc) -> Option<(Loc, &'static str)> {
    let (before, last) = loc.pointer.rsplit_once('/')?;
    let of = |pointer: &str| Loc { file: loc.file, pointer: pointer.to_owned() };
    let single = ["if", "then", "else", "not"].into_iter().find(|keyword| *keyword == last);
    let (pointer, keyword) = match single {
        Some(keyword) => (before, keyword),
        None => {
            let (before, holder) = before.rsplit_once('/')?;
            let listing = ["allOf", "anyOf", "oneOf", "dependentSchemas", "dependencies"];
            (before, listing.into_iter().find(|keyword| *keyword == holder)?)
        }
    };
    Some((of(pointer), keyword)).filter(|(around, _)| schemas.infos.contains_key(around))
}
