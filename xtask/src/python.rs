//! The Python libraries of the tests, in a virtual environment of their own below cargo's target folder.
//!
//! `tests/interop/requirements.txt` lists them, with the version of each, so that a run depends on this repository alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::machine::PYTHON;
use crate::target;

/// Below the workspace.
const REQUIREMENTS: &str = "tests/interop/requirements.txt";
/// Loads what has compiled parts, or breaks with a newer Python: all else follows.
const CHECK: &str = "import aioamqp, pydantic, jsonschema, twyla.logging.formatters";

/// Libraries that could not be installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path} could not be used: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error(
        "the tests need Python's libraries in {REQUIREMENTS}, and {why}.\n  Install them yourself and run this again:\n    {PYTHON} -m venv --clear {folder}\n    {folder}/bin/python -m pip install --use-pep517 --no-deps --requirement {REQUIREMENTS}"
    )]
    Pip { why: String, folder: String },
}

/// Returns the interpreter that has the libraries. Installs them first if they are missing or of other versions.
pub(crate) fn provide() -> Result<PathBuf, Error> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let requirements = workspace.join(REQUIREMENTS);
    let wanted = read(&requirements)?;
    let folder = target::folder()?.join("python");
    let python = folder.join("bin/python");
    // written last, and not kept by `venv --clear`
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && works(&python) {
        return Ok(python);
    }
    println!("missing here: Python's libraries of the tests; installing those in {REQUIREMENTS} from PyPI");
    let failed = |why| Error::Pip { why, folder: folder.display().to_string() };
    run(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(&folder)).map_err(failed)?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--use-pep517",
        "--no-deps",
    ]);
    run(pip.arg("--requirement").arg(&requirements)).map_err(failed)?;
    if !works(&python) {
        return Err(failed(format!("pip installed them, but `{CHECK}` fails")));
    }
    fs::write(&stamp, wanted).map_err(|error| Error::File { path: stamp, error })?;
    Ok(python)
}

fn works(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", CHECK]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} failed ({status})")),
        Err(error) => Err(format!("{name} could not be run ({error})")),
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::File { path: path.to_owned(), error })
}
