//! `cargo xtask compat`: runs labelled pairs of schemas through the comparison, and through the best of the other checkers.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// The package that compares the pairs.
const PACKAGE: &str = "twyla-compat";

/// A run that couldn't be made, or that didn't pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The report ends with its own last line, so this error has no text.
    #[error("")]
    Disagrees,
    #[error("cargo could not be run: {0}")]
    Cargo(std::io::Error),
}

/// Runs the pairs of some files; default: those in `../shared`.
pub(crate) fn run(files: &[PathBuf], alone: bool) -> Result<(), Error> {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(["run", "--quiet", "--package", PACKAGE, "--bin", PACKAGE, "--"]);
    command.args(alone.then_some("--alone")).args(files);
    if command.status().map_err(Error::Cargo)?.success() { Ok(()) } else { Err(Error::Disagrees) }
}
