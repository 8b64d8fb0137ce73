//! The contracts of a platform.

kit::twyla::include_contracts!();
