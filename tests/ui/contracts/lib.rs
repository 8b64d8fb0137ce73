//! The contracts of a platform.

twyla_codec::include_contracts!();
