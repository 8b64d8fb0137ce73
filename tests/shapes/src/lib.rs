//! The contracts of the made schemas, compiled: no shape causes an error or a warning of rustc, clippy or rustdoc, even with lints
//! that are off by default.
#![warn(
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    keyword_idents_2024,
    let_underscore_drop,
    missing_debug_implementations,
    missing_docs,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    rustdoc::all
)]

/// The contracts.
pub mod contracts {
    twyla_runtime::include_contracts!();
}
