//! Validates a value by evaluating the keywords of a schema. Witnesses are checked with this module, so it shares with
//! the search for witnesses only the reading of schemas, numbers, patterns, formats and equality.
//!
//! `values` has the rules of one value, `nested` those of items and members, `combined` those of further schemas.
//! `equal` compares values, `place` finds the place of a rule, `received` has large numbers as a text has them, `valid`
//! records valid parts, and `demands` has the schemas that a part must satisfy.

mod combined;
mod demands;
mod equal;
mod evaluated;
mod evaluator;
mod matcher;
mod nested;
mod place;
mod received;
mod valid;
mod values;
mod words;

pub(crate) use demands::Demands;
pub(crate) use equal::equal;
pub(crate) use evaluator::{Cache, Evaluator, Outcome, Undecidable, Violation, tracks_evaluated};
pub(crate) use matcher::Matcher;
pub(crate) use place::place_of;
pub(crate) use received::Received;
pub(crate) use valid::Valid;
