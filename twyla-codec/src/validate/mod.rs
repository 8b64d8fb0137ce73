//! Validation of values against their contracts.
//!
//! [`contract`] decodes and encodes; [`alternatives`] chooses variants by their rules. A value is checked by [`rules`] (one
//! value at a time), [`formats`], [`pattern`] and, for rules that involve several values or schemas, [`schema`].

#[doc(hidden)]
pub mod alternatives;
#[doc(hidden)]
pub mod contract;
#[doc(hidden)]
pub mod formats;
#[doc(hidden)]
pub mod nested;
#[doc(hidden)]
pub mod pattern;
#[doc(hidden)]
pub mod rules;
#[doc(hidden)]
pub mod schema;
#[doc(hidden)]
pub mod sensitive;

pub use crate::violation::{Refusal, Violation};
