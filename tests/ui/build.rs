//! Compiles the contracts that the mistakes refer to.

fn main() {
    twyla_build::compile("schemas");
}
