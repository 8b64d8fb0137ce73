//! The contracts that the mistakes are made against.

fn main() {
    twyla_build::compile("schemas");
}
