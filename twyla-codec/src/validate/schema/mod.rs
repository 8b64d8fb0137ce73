//! Rule trees: the rules of a schema that its Rust type doesn't express, as static data.
//!
//! The build script writes a [`Schema`] for each value whose rules need more than a single check: combinations (`anyOf`,
//! `if`), members by pattern, `contains`, `unevaluatedProperties` and the like. [`holds`] evaluates it over any value that
//! has a view ([`View`]): a generated struct, a list, a map or a `Value`. Nothing is copied. The tree doesn't depend on the
//! draft of the schema: the build script translates all drafts to the same rules.
//!
//! [`view`](self) has the views; `evaluate` the evaluator, with `arrays`, `objects` and `combined`; `number` compares
//! numbers exactly, `equal` compares JSON values, `describe` describes values in messages.

use crate::path::Path;
use crate::violation::Violations;

mod arrays;
mod combined;
mod describe;
mod equal;
mod evaluate;
mod multiple_of;
mod number;
mod objects;
#[cfg(test)]
mod tests;
mod tree;
mod view;

pub use multiple_of::Factor;
pub use number::Number;
pub use tree::{Choices, Const, Members, PatternRef, Resource, Rule, Schema, Types};
pub use view::{ArrayView, JsonView, ObjectView, View, Visit};

/// Adds a violation to `out` for each rule of the schema that the value breaks.
pub fn holds(value: &dyn View, schema: &'static Schema, at: &Path<'_>, out: &mut Violations) {
    evaluate::check(value, schema, at, out);
}

/// Returns whether the value satisfies the schema.
#[must_use]
pub fn accepts(value: &dyn View, schema: &'static Schema) -> bool {
    evaluate::accepts(value, schema)
}
