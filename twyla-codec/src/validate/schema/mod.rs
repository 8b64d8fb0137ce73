//! Rule trees: what a typed value doesn't tell of its schema, as static data that is evaluated in place.
//!
//! The build script writes a [`Schema`] for each place whose rules are more than one look at one value: combinations
//! (`anyOf`, `if`), members by pattern, `contains`, `unevaluatedProperties` and the like. [`holds`] evaluates it over any
//! value that can be looked at ([`Look`]): a generated struct, a list, a map or a `Value`. Nothing is copied, and drafts
//! are no matter here: the build script has translated each into the same rules.
//!
//! [`look`](self) is how values are seen; `evaluate` walks the rules, with `arrays`, `objects` and `combined` for those
//! that lead further; `number` compares numbers exactly, `equal` values as JSON does, and `words` says what a value is.

use crate::path::Path;
use crate::violation::Violations;

mod arrays;
mod combined;
mod equal;
mod evaluate;
mod look;
mod number;
mod objects;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use look::{ArrayView, Look, ObjectView, Seen, Visit};
pub use number::{Factor, Number};
pub use tree::{Choices, Const, Members, PatternRef, Resource, Rule, Schema, Types};

/// Notes each rule of the schema that the value breaks.
pub fn holds(value: &dyn Look, schema: &'static Schema, at: &Path<'_>, out: &mut Violations) {
    evaluate::told(value, schema, at, out);
}

/// Whether the value breaks no rule of the schema.
#[must_use]
pub fn accepts(value: &dyn Look, schema: &'static Schema) -> bool {
    evaluate::accepts(value, schema)
}
