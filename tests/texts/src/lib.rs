//! The contracts of schemas with hostile texts, in a library, because cargo runs doctests only there.
#![deny(warnings, rustdoc::unescaped_backticks)]

/// The contracts.
pub mod contracts {
    twyla_codec::include_contracts!();
}
