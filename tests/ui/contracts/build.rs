//! Compiles the contracts.

fn main() {
    twyla_build::Builder::new("../schemas").shown_as("tests/ui/schemas").runtime("twyla_codec").compile_or_exit();
}
