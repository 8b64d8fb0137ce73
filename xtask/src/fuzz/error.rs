//! The errors of fuzzing.

use std::path::PathBuf;

/// A run that couldn't be made, or that found something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{what} is missing and could not be installed: {command}")]
    Missing { what: &'static str, command: String },
    #[error("{} can't be written: {error}", path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error("{} can't be read: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{} is not valid JSON: {error}", path.display())]
    NoJson { path: PathBuf, error: serde_json::Error },
    #[error("the target `{0}` could not be built")]
    Build(&'static str),
    #[error(
        "the target `{target}` found an input that fails: {input}\n  to run it alone:\n    \
         rustup run nightly cargo fuzz run --sanitizer none {target} {input}"
    )]
    Found { target: &'static str, input: String },
    #[error("rustup could not be run: {0}")]
    Rustup(std::io::Error),
}
