//! Makes values from schemas, for people and for tests: readable ones, random ones, and ones that break one rule.
//!
//! `cargo twyla sample` prints them, and `twyla_runtime::testing` gives them to a service. Each value is checked against the contract
//! by the evaluator of the comparison (`twyla_build::compare`).
//!
//! [`bundle`] opens a schema from a program or a manifest, [`contract`] makes and checks values, and [`violation`] is a broken rule.
//! [`view`] joins the schemas that apply to a value, and `make` makes values from it, with `text`, `pattern` (strings that match a
//! pattern) and `random`. `broken` breaks rules, and `simpler` makes values smaller.
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
mod dice;
mod make;
mod pattern;
mod random;
mod simpler;
mod text;
pub mod view;
pub mod violation;

pub use broken::{Broken, Rule};
pub use bundle::Bundle;
pub use contract::Contract;
pub use make::Extent;
pub use violation::Violation;
