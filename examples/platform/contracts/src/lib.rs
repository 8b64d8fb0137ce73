//! The contracts of the platform.

twyla_runtime::include_contracts!();
