//! `cargo xtask conformance`: the official JSON Schema test suite and generated schemas, compiled and run.

use std::env;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The package that compiles the groups and runs their cases; `COMMAND_LINE` is the package with the `validate` that the
/// results are compared with.
const PACKAGE: &str = "twyla-conformance";
const COMMAND_LINE: &str = "cargo-twyla";

/// The number of parts in which groups are compiled in all places: a compiler takes over 4 GB for all groups of one draft.
const PARTS: usize = 4;

/// A run that couldn't be made, or that didn't pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no suite at {}: expected a folder with `tests/<draft>/*.json`", .0.display())]
    NoSuite(PathBuf),
    #[error("the programs of {PACKAGE} could not be built")]
    Build,
    #[error("{} could not be removed: {}", .0.display(), .1)]
    Results(PathBuf, std::io::Error),
    /// The report ends with its own last line, so this error has no text.
    #[error("")]
    Disagrees,
    #[error("cargo could not be run: {0}")]
    Cargo(std::io::Error),
}

/// Compiles the groups of a suite (default: the one in `../shared`) and runs their cases, in all places that a schema may have in a
/// folder, or in some of them by turns.
pub(crate) fn run(suite: Option<&Path>, all_placements: bool) -> Result<(), Error> {
    let folder = match suite {
        Some(suite) => suite.to_owned(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/json-schema-test-suite"),
    };
    let folder = folder.canonicalize().ok().filter(|folder| folder.is_dir()).ok_or(Error::NoSuite(folder))?;
    // the package finds the shared suite by itself; a variable would make cargo compile it again
    let suite = suite.map(|_| ("TWYLA_SUITE", folder.as_os_str()));
    let env: Vec<_> = suite.into_iter().collect();
    // run the program beside this one: `cargo run` takes one package, which alone may have other features, and would be built
    // again
    let here = env::current_exe().map_err(Error::Cargo)?;
    let program = here.with_file_name(format!("{PACKAGE}{}", env::consts::EXE_SUFFIX));
    let passed = |args: &[&OsStr]| Ok(Command::new(&program).args(args).status().map_err(Error::Cargo)?.success());
    let passed = if all_placements {
        let results = here.with_file_name(format!("{PACKAGE}.json"));
        match std::fs::remove_file(&results) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::Results(results, error)),
            _ => {}
        }
        for part in 0..PARTS {
            println!("part {} of {PARTS}", part + 1);
            let name = format!("{part}/{PARTS}");
            let own = [("TWYLA_CONFORMANCE_PLACEMENTS", OsStr::new("all")), ("TWYLA_CONFORMANCE_PART", name.as_ref())];
            build(&[&env[..], &own].concat())?;
            if !passed(&["--add".as_ref(), results.as_os_str()])? {
                return Err(Error::Disagrees);
            }
        }
        passed(&["--report".as_ref(), results.as_os_str()])?
    } else {
        build(&env)?;
        passed(&[])?
    };
    if passed { Ok(()) } else { Err(Error::Disagrees) }
}

fn build(env: &[(&str, &OsStr)]) -> Result<(), Error> {
    let args = ["build", "--quiet", "--bins", "--package", PACKAGE, "--package", COMMAND_LINE];
    if cargo(&args, env)?.success() { Ok(()) } else { Err(Error::Build) }
}

fn cargo(args: &[&str], env: &[(&str, &OsStr)]) -> Result<ExitStatus, Error> {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(args).envs(env.iter().copied()).status().map_err(Error::Cargo)
}
