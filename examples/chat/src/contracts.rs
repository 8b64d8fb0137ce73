//! The demo platform's contracts, which the build script compiles from `schemas/`.

twyla_runtime::include_contracts!();
