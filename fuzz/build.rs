//! Compiles the demo platform's contracts.

fn main() {
    twyla_build::Builder::new("../schemas").runtime("twyla_codec").compile_or_exit();
}
