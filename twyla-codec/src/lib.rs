//! Typed values as JSON text, held to JSON Schema contracts in both directions.
//!
//! The code that `twyla-build` generates calls this crate: [`json`] reads and writes text exactly as JSON Schema sees values,
//! [`validate`] checks values against the rules of their contract. The crate has no network and no async runtime. Programs get it
//! through `twyla-runtime`, which re-exports what generated code needs.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod excerpt;
pub mod json;
pub mod path;
pub mod validate;
mod violation;

pub use validate::formats::date_time::{DateTime, InvalidDateTime};

/// What the macros of this crate expand to.
#[doc(hidden)]
pub mod __private {
    pub use serde;
}
