//! The demo platform's contracts, as the build script has compiled them from `schemas/`.

twyla_runtime::include_contracts!();
