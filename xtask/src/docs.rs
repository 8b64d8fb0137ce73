//! `cargo xtask docs`: the documentation of every crate, with warnings denied.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::process::Command;

use crate::target;

/// Documentation that couldn't be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("cargo could not be run: {0}")]
    Cargo(#[from] io::Error),
    #[error("the documentation has errors")]
    Failed,
}

/// Documents the libraries and programs of the workspace.
///
/// `--examples` makes cargo use the features of the tests, so that it doesn't check again, with fewer features, what the
/// lints have checked. The programs are named because `--bins` would also document programs with the name of their library.
pub(crate) fn run() -> Result<(), Error> {
    let programs = target::programs()?;
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(["doc", "--workspace", "--no-deps", "--quiet", "--lib", "--examples"]);
    command.args(programs.iter().flat_map(|program| ["--bin", program]));
    let status = command.env("RUSTDOCFLAGS", "--deny warnings").status()?;
    if status.success() { Ok(()) } else { Err(Error::Failed) }
}
