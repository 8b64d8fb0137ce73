//! Compiles the event of the chaos runs.

fn main() {
    twyla_build::compile("schemas");
}
