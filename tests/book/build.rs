//! Compiles the contracts of the book's examples, and the schemas on the page of shapes.

use std::path::Path;
use std::{env, fs};

/// The schemas on the page of shapes.
const SHAPES: &str = "../golden/schemas/shapes";

fn main() {
    println!("cargo::rerun-if-changed=../../docs/book/src");
    println!("cargo::rerun-if-changed={SHAPES}");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    match twyla_build::Builder::new(SHAPES).shown_as("schemas").generate() {
        Ok(generated) => fs::write(Path::new(&out).join("shapes.rs"), generated.code).expect("OUT_DIR can be written"),
        Err(problems) => println!("cargo::error={}", problems.to_string().replace('\n', "; ")),
    }
    twyla_build::compile("schemas");
}
