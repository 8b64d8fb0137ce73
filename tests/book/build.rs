//! Compiles the contracts of the book's examples.

fn main() {
    println!("cargo::rerun-if-changed=../../docs/book/src");
    twyla_build::compile("schemas");
}
