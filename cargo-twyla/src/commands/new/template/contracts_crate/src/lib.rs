//! The contracts of a platform: services depend on this crate.

twyla_runtime::include_contracts!();
