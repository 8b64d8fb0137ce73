//! Typed values as JSON text, checked against JSON Schema contracts on reading and writing.
//!
//! The code that `twyla-build` generates calls this crate: `json` reads and writes text exactly as JSON Schema sees
//! values, [`validate`] checks values against their contracts. The crate has no network and no async runtime. Programs use
//! it through `twyla-runtime`, which re-exports what generated code needs. What only generated code calls may change in any
//! version.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod excerpt;
#[doc(hidden)]
pub mod json;
mod nullable;
#[doc(hidden)]
pub mod path;
mod unknown_field;
pub mod validate;
mod violation;

pub use json::words::InvalidWord;
pub use nullable::Nullable;
pub use validate::formats::date_time::{DateTime, InvalidDateTime};

/// Dependencies of this crate's macros.
#[doc(hidden)]
pub mod __private {
    pub use serde;
}
