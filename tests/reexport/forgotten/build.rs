//! Compiles the contracts, without `.runtime("bus")`.

fn main() {
    twyla_build::compile("../../ui/schemas")
}
