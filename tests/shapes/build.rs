//! Compiles the made schemas, or those of the folder in `TWYLA_SHAPES`.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The number of events of which the contracts are compiled.
const EVENTS: usize = 100;

fn main() {
    println!("cargo::rerun-if-env-changed=TWYLA_SHAPES");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let folder = env::var_os("TWYLA_SHAPES").map_or_else(|| made(&out.join("schemas")), PathBuf::from);
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

/// Writes the made schemas into a folder.
fn made(folder: &Path) -> PathBuf {
    let _ = fs::remove_dir_all(folder);
    for (path, schema) in twyla_generate::shapes::folder(EVENTS) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("OUT_DIR can be written");
        fs::write(path, format!("{schema:#}")).expect("OUT_DIR can be written");
    }
    folder.to_owned()
}
