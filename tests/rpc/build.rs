//! Compiles the tests' contracts.

fn main() {
    twyla_build::compile("schemas");
}
