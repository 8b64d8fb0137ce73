//! Finds the values that a schema may allow, as an upper bound.

use super::possible::Possible;
use super::reader::SchemaReader;
use crate::schema::load::Json;
use crate::schema::schemas::Loc;

/// The maximum number of schemas read for one bound. Beyond it, every value counts as possible.
const MOST_STEPS: usize = 2000;

/// The maximum depth of nested schemas that apply to the same value.
const DEEPEST: usize = 32;

impl SchemaReader<'_> {
    /// Returns the possible values of a schema.
    pub(super) fn possible(&self, loc: &Loc) -> Possible {
        if let Some(known) = self.possibles.borrow().get(loc) {
            return known.clone();
        }
        // the bounds of nested schemas aren't cached: they depend on the number of remaining steps
        let possible = self.bound(loc, 0, &mut 0);
        self.possibles.borrow_mut().insert(loc.clone(), possible.clone());
        possible
    }

    fn bound(&self, loc: &Loc, depth: usize, steps: &mut usize) -> Possible {
        *steps += 1;
        if depth > DEEPEST || *steps > MOST_STEPS {
            return Possible::ALL;
        }
        if let Json::Bool(value) = self.node(loc).json {
            return if value { Possible::ALL } else { Possible::NONE };
        }
        let mut out = Possible::ALL;
        if let Some(target) = self.schemas.refs.get(loc) {
            out = self.bound(target, depth + 1, steps);
            if self.schemas.draft(loc).ref_stands_alone() {
                return out;
            }
        }
        if let Some(kinds) = self.kinds(loc) {
            out = out.and(Possible::of_types(kinds));
        }
        if let Some(value) = self.get(loc, "const") {
            out = out.and(Possible::of_value(value));
        }
        if let Some(values) = self.get(loc, "enum") {
            out = out.and(values.items().iter().map(Possible::of_value).fold(Possible::NONE, Possible::or));
        }
        for at in self.listed(loc, "allOf") {
            out = out.and(self.bound(&at, depth + 1, steps));
        }
        for keyword in ["anyOf", "oneOf"] {
            if self.has(loc, keyword) {
                let any = self.listed(loc, keyword).fold(Possible::NONE, |any, at| {
                    if any == Possible::ALL { any } else { any.or(self.bound(&at, depth + 1, steps)) }
                });
                out = out.and(any);
            }
        }
        out
    }
}
