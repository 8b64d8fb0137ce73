//! Compiles the domains whose features are enabled.

fn main() {
    twyla_build::Builder::new("schemas").by_features().runtime("twyla_codec").compile_or_exit();
}
