//! The contracts of the made schemas, compiled: no shape causes an error or a warning of rustc, clippy or rustdoc.

/// The contracts.
#[allow(missing_docs, reason = "some contracts have no docs")]
pub mod contracts {
    twyla_runtime::include_contracts!();
}
