//! Holding values to their contracts: what is refused, where, and by which rule.
//!
//! [`contract`] decodes and encodes; on its way a value meets [`rules`] (what a single value is held to), [`formats`] and
//! [`pattern`] and, for rules that lead further, [`schema`].

#[doc(hidden)]
pub mod contract;
#[doc(hidden)]
pub mod formats;
#[doc(hidden)]
pub mod pattern;
#[doc(hidden)]
pub mod rules;
#[doc(hidden)]
pub mod schema;
#[doc(hidden)]
pub mod sensitive;

pub use crate::violation::{Refusal, Violation};
