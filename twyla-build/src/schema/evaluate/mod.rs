//! Holding one value to a schema, by the schema's own keywords: the judge of every witness. It shares nothing with the
//! search for them but how a schema is read.
//!
//! `values` has the rules of one value, `nested` those of items and members, `combined` those of further schemas, and
//! `equal` is when two values are one, `place` is where rules stand, and `valid` is what needs no second look.

mod combined;
mod equal;
mod evaluator;
mod matcher;
mod nested;
mod place;
mod valid;
mod values;
mod words;

pub(crate) use equal::equal;
pub(crate) use evaluator::{Broken, Evaluator, Held, Kept, Unknown};
pub(crate) use matcher::Matcher;
pub(crate) use place::place_of;
pub(crate) use valid::Valid;
