//! The contracts of schemas with hostile texts, in a library: cargo looks for doctests there.
#![deny(warnings, rustdoc::unescaped_backticks)]

/// The contracts.
pub mod contracts {
    twyla_runtime::include_contracts!();
}
