//! Compiles the contracts in `schemas/`.

fn main() {
    twyla_build::compile("schemas");
}
