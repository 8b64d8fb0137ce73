//! Compiles the contracts.

fn main() {
    twyla_build::Builder::new("../../ui/schemas").runtime("kit::twyla").compile_or_exit();
}
