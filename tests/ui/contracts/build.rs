//! Compiles the contracts.

fn main() {
    twyla_build::compile("../schemas");
}
