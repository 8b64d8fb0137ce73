//! Compiles the contracts in `schemas/` whose feature is enabled.

fn main() {
    twyla_build::Builder::new("schemas").by_features().runtime("twyla_codec").compile_or_exit();
}
