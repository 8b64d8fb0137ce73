//! Compiles the made schemas, or those of the folder in `TWYLA_SHAPES`.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-env-changed=TWYLA_SHAPES");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let folder = env::var_os("TWYLA_SHAPES").map(PathBuf::from).unwrap_or_else(|| {
        let folder = out.join("schemas");
        let _ = fs::remove_dir_all(&folder);
        twyla_generate::shapes::write(&folder).expect("OUT_DIR can be written");
        folder
    });
    println!("cargo::rerun-if-changed={}", folder.display());
    // as the builder compiles, but without printing the warnings of the schemas
    match twyla_build::Builder::new(&folder).shown_as("schemas").generate() {
        Ok(generated) => {
            fs::write(out.join("twyla.rs"), generated.code).expect("OUT_DIR can be written");
            fs::write(out.join("twyla.index"), generated.index).expect("OUT_DIR can be written");
        }
        Err(problems) => println!("cargo::error={}", problems.to_string().replace('\n', "; ")),
    }
}
