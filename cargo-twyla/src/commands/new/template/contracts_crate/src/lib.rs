//! The contracts of a platform: services depend on this crate.

twyla_codec::include_contracts!();
