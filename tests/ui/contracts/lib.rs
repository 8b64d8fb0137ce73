//! The contracts of a platform.

twyla_runtime::include_contracts!();
