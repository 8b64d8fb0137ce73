//! Compiles the contracts of the service itself.

fn main() {
    twyla_build::Builder::new("../../../schemas").runtime("kit::twyla").compile_or_exit();
}
