//! rustdoc builds pages from the texts of schemas without a warning, and finds no test in them.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// Both outputs of a cargo command; panics if it fails.
fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).args(["--offline", "--package", "twyla-texts", "--color", "never"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", target());
    // the cargo that runs this test
    for name in ["RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_MANIFEST_DIR", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn no_text_of_a_schema_is_a_doctest() {
    let text = cargo(&["test", "--doc"]);
    assert!(text.contains("\nrunning 0 tests\n"), "{text}");
}

#[test]
fn no_text_of_a_schema_causes_a_warning_or_a_tag_in_the_pages() {
    // the crate denies warnings, so that one would be an error
    cargo(&["doc", "--no-deps"]);
    let mut open = vec![target().join("doc/twyla_texts")];
    let mut pages = 0;
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "html") {
                pages += 1;
                let page = std::fs::read_to_string(&path).unwrap();
                for tag in ["<img src=x", "<script>alert", "<script>\nalert", "<style>*", "href=\"javascript:", "<x>"] {
                    assert!(!page.contains(tag), "{tag} in {}", path.display());
                }
            }
        }
    }
    assert!(pages > 500, "{pages}");
}
