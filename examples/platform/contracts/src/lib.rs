//! The contracts of the platform.

twyla_codec::include_contracts!();
