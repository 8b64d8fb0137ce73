//! The contracts of the demo platform.

fn main() {
    twyla_build::compile("../../schemas");
}
