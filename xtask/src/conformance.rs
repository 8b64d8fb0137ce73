//! `cargo xtask conformance`: the official JSON Schema test suite and generated schemas, compiled and run.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The package that compiles and runs them.
const PACKAGE: &str = "twyla-conformance";

/// A run that couldn't be made, or that didn't pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no suite at {}: it is a folder with `tests/<draft>/*.json` in it", .0.display())]
    NoSuite(PathBuf),
    #[error("the programs of {PACKAGE} could not be built")]
    Build,
    /// The report has said so, and ends with its own last line.
    #[error("")]
    Disagrees,
    #[error("cargo could not be run: {0}")]
    Cargo(std::io::Error),
}

/// Compiles the groups of a suite, or of the one that is shared beside the repository, and runs their cases.
pub(crate) fn run(suite: Option<&Path>) -> Result<(), Error> {
    let folder = match suite {
        Some(suite) => suite.to_owned(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/json-schema-test-suite"),
    };
    let folder = folder.canonicalize().ok().filter(|folder| folder.is_dir()).ok_or(Error::NoSuite(folder))?;
    // the package finds the shared one by itself, and a variable would make it compile anew
    let suite = suite.map(|_| folder.as_path());
    if !cargo(&["build", "--quiet", "--package", PACKAGE, "--bins"], suite)?.success() {
        return Err(Error::Build);
    }
    let passed = cargo(&["run", "--quiet", "--package", PACKAGE, "--bin", PACKAGE], suite)?.success();
    if passed { Ok(()) } else { Err(Error::Disagrees) }
}

fn cargo(args: &[&str], suite: Option<&Path>) -> Result<ExitStatus, Error> {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(args).envs(suite.map(|suite| ("TWYLA_SUITE", suite))).status().map_err(Error::Cargo)
}
