//! Compiles each folder of `schemas/` into its own module, which needs the codec alone.

mod options;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=schemas");
    println!("cargo::rerun-if-changed=../../schemas");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let mut folders = vec![("demo".to_owned(), "../../schemas".to_owned())];
    for entry in fs::read_dir("schemas").expect("the folder is there").filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        folders.push((name.clone(), format!("schemas/{name}")));
    }
    for (name, folder) in folders {
        let builder = twyla_build::Builder::new(&folder).shown_as("schemas").runtime("twyla_codec");
        let builder = if name == "custom" { options::custom(builder) } else { builder };
        match builder.generate() {
            Ok(generated) => {
                fs::write(Path::new(&out).join(format!("{name}.rs")), generated.code).expect("is writable")
            }
            Err(problems) => println!("cargo::error={}", problems.to_string().replace('\n', "; ")),
        }
    }
}
