//! The contracts of the bus's own tests.

fn main() {
    twyla_build::compile("schemas");
}
