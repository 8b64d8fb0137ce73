//! Values made from schemas, for people to look at and for tests: nice ones, random ones, and such as break one rule.
//!
//! `cargo twyla sample` shows them, and `twyla_runtime::testing` gives them to a service. Both hold what is made to the
//! contract, as the comparison of contracts does (`twyla_build::compare`): nothing that comes out of here is merely hoped to be valid.
//!
//! The rooms: [`bundle`] opens a schema as programs and manifests carry it, [`contract`] is one that values are made of and held
//! to, and [`violation`] says what one breaks. [`view`] is the schemas that hold for a value as one, `make` makes values of them,
//! `text` strings, `pattern` such as match a pattern, and `random` what dice decide; `broken` breaks rules, and `simpler` takes away from a value.
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
