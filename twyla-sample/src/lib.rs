//! Values generated from schemas, for examples and tests: readable ones, random ones, and ones that break exactly one rule.
//!
//! `cargo twyla sample` prints them, and `twyla_runtime::testing` sends them to a service. Every value is validated as the
//! comparison of contracts does (`twyla_build::compare`).
//!
//! Modules: [`bundle`] opens a schema as programs and manifests carry it, [`contract`] generates and validates values,
//! [`violation`] has the violations. [`view`] merges the schemas that apply to a value, `make` generates values, `text`
//! strings, `pattern` strings that match a pattern, `random` random values; `broken` breaks rules, and `simpler` shrinks
//! values.
//!
//! ```
//! use twyla_sample::{Bundle, Extent};
//!
//! let text = r#"{"draft":"2020-12","formats":true,"root":"it","documents":{"it":{"type":"integer","minimum":7}}}"#;
//! let bundle = Bundle::open(text)?;
//! let contract = bundle.contract()?;
//! assert_eq!(contract.nice(Extent::Whole).next(), Some(10.into()));
//! assert_eq!(contract.broken(&[10.into()]).0.len(), 2, "one breaks `type`, one `minimum`");
//! # Ok::<(), String>(())
//! ```
#![forbid(unsafe_code)]

mod broken;
pub mod bundle;
pub mod contract;
mod make;
mod pattern;
mod random;
mod rng;
mod simpler;
mod text;
pub mod view;
pub mod violation;

pub use broken::{Broken, Rule};
pub use bundle::Bundle;
pub use contract::Contract;
pub use make::Extent;
pub use violation::Violation;
