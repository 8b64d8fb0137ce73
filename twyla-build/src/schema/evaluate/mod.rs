//! Validates a value by the keywords of a schema themselves. Witnesses are checked with it, so it shares with the search for
//! them only how a schema is read, numbers, patterns, formats and equality.
//!
//! `values` has the rules of one value, `nested` those of items and members, `combined` those of further schemas. `equal`
//! compares values, `place` finds where a rule stands, `valid` remembers what is valid,
//! `demands` has the schemas that a part must satisfy, and `unknown_field` has texts of errors.

mod combined;
mod demands;
mod equal;
mod evaluated;
mod evaluator;
mod matcher;
mod nested;
mod place;
mod unknown_field;
mod valid;
mod values;
mod words;

pub(crate) use demands::Demands;
pub(crate) use equal::equal;
pub(crate) use evaluator::{Cache, Evaluator, Outcome, Undecidable, Violation, notes_seen};
pub(crate) use matcher::Matcher;
pub(crate) use place::place_of;
pub(crate) use valid::Valid;
