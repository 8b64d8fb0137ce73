//! The names that schemas give the variants of a union.

use std::collections::{BTreeSet, HashSet};

use super::members::applied;
use super::reader::SchemaReader;
use crate::schema::load::{Node, steps};
use crate::schema::names;
use crate::schema::schemas::Loc;
use crate::schema::type_names;

/// The maximum length in characters of a title, or of a member's name, that names a variant.
const MOST_OF_TITLE: usize = 40;

impl SchemaReader<'_> {
    /// Returns the name that each alternative has in the schemas: its title, else the name of the schema that it refers to,
    /// else the title of that schema. If two names are equal, titles aren't used.
    pub(super) fn names_in_schemas(&self, alternatives: &[Option<Loc>]) -> Vec<Option<String>> {
        let title = |at: &Loc| {
            let title = self.node(at).get("title").and_then(Node::str).filter(|title| !title.trim().is_empty())?;
            names::readable(title).filter(|name| name.chars().count() <= MOST_OF_TITLE)
        };
        let name = |at: &Loc| title(at).or_else(|| self.referred_name(at)).or_else(|| title(&self.referred(at)));
        let names: Vec<Option<String>> = alternatives.iter().map(|at| at.as_ref().and_then(name)).collect();
        let mut seen = HashSet::new();
        if names.iter().flatten().all(|name| seen.insert(name)) {
            return names;
        }
        alternatives.iter().map(|at| self.referred_name(at.as_ref()?)).collect()
    }

    /// Returns a name from the only member that a schema of objects requires; `None` if it doesn't require exactly one.
    pub(super) fn own_member(&self, loc: &Loc) -> Option<String> {
        let parts = applied(self, loc);
        let required: BTreeSet<&str> = parts.iter().flat_map(|at| self.required_at(at)).collect();
        let mut names = required.into_iter();
        let only = names.next().filter(|name| names.next().is_none() && !self.members_at(&parts, name).is_empty())?;
        names::readable(only).filter(|name| name.chars().count() <= MOST_OF_TITLE)
    }

    /// Returns the name of the schema that this one refers to; `None` if it doesn't refer to a schema with a name.
    fn referred_name(&self, loc: &Loc) -> Option<String> {
        let target = self.schemas.refs.get(loc)?;
        let steps: Vec<_> = steps(&target.pointer).map(|step| step.into_owned()).collect();
        match &steps[..] {
            [.., holder, last] if matches!(holder.as_str(), "$defs" | "definitions" | "properties") => {
                Some(names::type_(last).trim_start_matches('_').to_owned()).filter(|name| !name.is_empty())
            }
            [] => Some(type_names::at(self.schemas, target).name),
            _ => None,
        }
    }
}
