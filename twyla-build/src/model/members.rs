//! Looks up a member in the schemas that apply to one object: whether they declare, require or exclude it.

use std::collections::HashSet;

use super::reader::SchemaReader;
use crate::schema::load::{Json, Node};
use crate::schema::schemas::Loc;

/// The maximum number of schemas that apply to one value.
const MOST_PARTS: usize = 100;

impl<'a> SchemaReader<'a> {
    /// Returns whether no object under these schemas has the member.
    pub(super) fn excludes(&self, parts: &[Loc], name: &str) -> bool {
        parts.iter().any(|at| {
            let own = self.get(at, "properties").and_then(|node| node.get(name));
            let is_closed =
                matches!(self.get(at, "additionalProperties").map(|node| &node.json), Some(Json::Bool(false)));
            let has_patterns = self.get(at, "patternProperties").is_some_and(|node| !node.members().is_empty());
            match own {
                Some(_) => self.possible(&at.step("properties").step(name)).is_none(),
                None => is_closed && !has_patterns,
            }
        })
    }

    /// Returns the schemas that these schemas declare for a member.
    pub(super) fn members_at(&self, parts: &[Loc], name: &str) -> Vec<Loc> {
        let declares = |at: &&Loc| self.get(at, "properties").is_some_and(|node| node.get(name).is_some());
        parts.iter().filter(declares).map(|at| at.step("properties").step(name)).collect()
    }

    /// Returns the names in `required`.
    pub(super) fn required_at(&self, loc: &Loc) -> impl Iterator<Item = &'a str> + use<'a> {
        self.get(loc, "required").map_or(&[][..], Node::items).iter().filter_map(Node::str)
    }
}

/// Returns a schema, and those that apply to the same value by `$ref` and `allOf`.
pub(super) fn applied(reader: &SchemaReader<'_>, loc: &Loc) -> Vec<Loc> {
    let (mut seen, mut out, mut open) = (HashSet::from([loc.clone()]), Vec::new(), vec![loc.clone()]);
    while let Some(at) = open.pop().filter(|_| seen.len() <= MOST_PARTS) {
        let target = reader.schemas.refs.get(&at).cloned();
        // keywords beside such a reference have no effect
        let alone = target.is_some() && reader.schemas.draft(&at).ref_stands_alone();
        let mut next: Vec<Loc> = target.into_iter().collect();
        if !alone {
            next.extend(reader.listed(&at, "allOf"));
            out.push(at);
        }
        open.extend(next.into_iter().rev().filter(|at| seen.insert(at.clone())));
    }
    out
}
