//! Compiles the demo platform's contracts.

fn main() {
    twyla_build::compile("../../schemas");
}
