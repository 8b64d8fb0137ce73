//! `cargo xtask conformance`: the official JSON Schema test suite and generated schemas, compiled and run.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The package that compiles and runs them, and the one whose `validate` they are held to.
const PACKAGE: &str = "twyla-conformance";
const COMMAND_LINE: &str = "cargo-twyla";

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

/// Compiles the groups of a suite, or of the one that is shared beside the repository, and runs their cases; in all places that
/// a schema may have in a folder, or in some by turns.
pub(crate) fn run(suite: Option<&Path>, all_placements: bool) -> Result<(), Error> {
    let folder = match suite {
        Some(suite) => suite.to_owned(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/json-schema-test-suite"),
    };
    let folder = folder.canonicalize().ok().filter(|folder| folder.is_dir()).ok_or(Error::NoSuite(folder))?;
    // the package finds the shared one by itself, and a variable would make it compile anew
    let suite = suite.map(|_| ("TWYLA_SUITE", folder.as_os_str()));
    let placements = all_placements.then_some(("TWYLA_CONFORMANCE_PLACEMENTS", OsStr::new("all")));
    let env: Vec<_> = suite.into_iter().chain(placements).collect();
    let packages = ["--package", PACKAGE, "--package", COMMAND_LINE];
    if !cargo(&[&["build", "--quiet", "--bins"][..], &packages].concat(), &env)?.success() {
        return Err(Error::Build);
    }
    // they are beside this program; `cargo run` takes one package, and that alone may have other features and so be built again
    let here = env::current_exe().map_err(Error::Cargo)?;
    let program = here.with_file_name(format!("{PACKAGE}{}", env::consts::EXE_SUFFIX));
    let passed = Command::new(program).status().map_err(Error::Cargo)?.success();
    if passed { Ok(()) } else { Err(Error::Disagrees) }
}

fn cargo(args: &[&str], env: &[(&str, &OsStr)]) -> Result<ExitStatus, Error> {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(args).envs(env.iter().copied()).status().map_err(Error::Cargo)
}
