//! `cargo xtask words`: finds words that don't belong in the project's language, in code, docs and messages, and in the names of
//! items and files.
//!
//! [`list`] has the words and what to write instead. Of tests and golden files, only names are read: they quote schemas and old
//! texts.

mod list;
mod search;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use list::ALLOWED;

/// Words that were found, or files that can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("git could not be run: {0}")]
    Git(io::Error),
    #[error("{path} could not be read: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error(
        "{0} words to replace, listed above; a line that needs its word goes into ALLOWED in xtask/src/words/list.rs"
    )]
    Found(usize),
}

/// Prints each word to replace, and the number of words in each part of the repository.
///
/// # Errors
/// [`Error::Found`] if there is one.
pub(crate) fn run() -> Result<(), Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(&root).output().map_err(Error::Git)?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in listed.split('\0').filter(|file| is_read(file) || has_names(file)) {
        let path = root.join(file);
        // a file that is deleted but not yet committed is still listed
        if !path.exists() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| Error::Read { path, error })?;
        let is_rust = file.ends_with(".rs");
        let texts = if is_read(file) { search::all(&text, is_rust) } else { Vec::new() };
        let names = if is_rust { search::names(&text) } else { Vec::new() };
        if let Some(word) = search::in_name(file).filter(|_| is_rust) {
            *counts.entry(part(file)).or_default() += 1;
            println!("{file}: `{}` in the file's name: write {}", word.old, word.new);
        }
        for found in texts.into_iter().chain(names) {
            let is_allowed = ALLOWED.iter().any(|(of, line)| *of == file && found.text.contains(line));
            if is_allowed {
                continue;
            }
            *counts.entry(part(file)).or_default() += 1;
            println!("{file}:{}: `{}`: write {}", found.line, found.word.old, found.word.new);
        }
    }
    for (part, count) in &counts {
        println!("{part}: {count} words to replace");
    }
    match counts.values().sum() {
        0 => Ok(()),
        count => Err(Error::Found(count)),
    }
}

/// Returns whether a file is product code or a page.
fn is_read(file: &str) -> bool {
    let folders: Vec<&str> = file.split('/').collect();
    let is_test = folders.iter().any(|it| ["tests", "golden", "tests.rs", "snapshots", ".github"].contains(it));
    let is_text = [".rs", ".md", ".js"].iter().any(|end| file.ends_with(end));
    // leave out the list of words itself
    is_text && !is_test && !["fuzz/", "xtask/src/words/"].iter().any(|folder| file.starts_with(folder))
}

/// Returns whether the names in a file are read.
fn has_names(file: &str) -> bool {
    file.ends_with(".rs") && !file.starts_with("xtask/src/words/")
}

/// Returns the crate of a file, or the folder of a page.
fn part(file: &str) -> &str {
    file.split_once('/').map_or("README and other pages", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_product_code_and_pages_but_no_tests() {
        for file in ["twyla-runtime/src/bus/mod.rs", "README.md", "docs/book/src/cli.md", "cargo-twyla/src/a/site.js"] {
            assert!(is_read(file), "{file}");
        }
        for file in ["tests/ui/a.rs", "twyla-build/tests/names.rs", "a/src/plan/tests.rs", "twyla-macros/golden/rpc.rs"]
        {
            assert!(!is_read(file), "{file}");
        }
    }

    #[test]
    fn every_allowed_line_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (file, line) in ALLOWED {
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            assert!(text.contains(line), "{file} has no {line:?}: remove it from ALLOWED");
        }
    }
}
