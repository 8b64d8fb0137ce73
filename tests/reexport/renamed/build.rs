//! Compiles the contracts.

fn main() {
    twyla_build::Builder::new("../../ui/schemas").runtime("bus").compile_or_exit();
}
