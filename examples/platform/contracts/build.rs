//! Compiles the domains whose features are enabled.

fn main() {
    twyla_build::Builder::new("schemas").by_features().compile_or_exit();
}
