//! Bytes as a small folder of schemas: the builder writes valid Rust or reports an error.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use twyla_build::{Builder, Draft};

/// The byte that ends each file.
pub const END: u8 = 0xff;

/// The files, in the order of the bytes; a file without bytes doesn't exist.
const FILES: [&str; 4] = ["events/a/x.json", "context.json", "shared/s.json", "document.json"];

const DRAFTS: [Draft; 5] = [Draft::Draft202012, Draft::Draft7, Draft::Draft4, Draft::Draft6, Draft::Draft201909];

/// Compiles the folder that the bytes describe.
///
/// # Panics
/// If the generated code isn't valid Rust, or if there is neither code nor an error.
pub fn hold(bytes: &[u8]) {
    let root = TempDir::new().expect("a folder");
    let mut parts = bytes.split(|byte| *byte == END);
    for path in FILES {
        let text = match (parts.next(), path) {
            (None, "context.json") => b"{}",
            (None, _) => continue,
            (Some(text), _) => text,
        };
        write(root.path(), path, text);
    }
    // the remaining bytes choose the settings
    let how = parts.next().and_then(<[u8]>::first).copied().unwrap_or(0);
    let mut builder = Builder::new(root.path().join("schemas")).shown_as("schemas").formats(how & 1 == 0);
    builder = builder.default_draft(DRAFTS[usize::from(how >> 1) % DRAFTS.len()]);
    if root.path().join("schemas/document.json").exists() {
        fs::rename(root.path().join("schemas/document.json"), root.path().join("document.json")).expect("a file");
        builder = builder.document("https://example.com/document.json", root.path().join("document.json"));
    }
    match builder.generate() {
        Ok(generated) => {
            syn::parse_file(&generated.code).expect("what is generated is Rust");
        }
        Err(problems) => assert!(problems.0.iter().any(twyla_build::Problem::is_error)),
    }
}

fn write(root: &Path, path: &str, text: &[u8]) {
    let path = root.join("schemas").join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}
