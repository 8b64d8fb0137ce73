//! The Python libraries of the tests, in virtual environments below cargo's target folder.
//!
//! A `requirements.txt` lists the libraries of each, with their versions, so that a run depends on this repository alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::machine::PYTHON;
use crate::target;

/// A virtual environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    /// The folder of the environment, below the target folder.
    folder: &'static str,
    /// The list of the environment's libraries, below the workspace.
    requirements: &'static str,
    /// Python code that imports the libraries with compiled parts, and those that break with a newer Python: if it runs, the
    /// other libraries work too.
    check: &'static str,
}

/// The environment of the Python original and of other clients.
pub(crate) const PEER: Environment = Environment {
    folder: "python",
    requirements: "tests/interop/requirements.txt",
    check: "import aioamqp, pydantic, jsonschema, twyla.logging.formatters",
};
/// The environment that the package of `cargo twyla python` needs.
pub(crate) const PACKAGE: Environment = Environment {
    folder: "python-package",
    requirements: "cargo-twyla/tests/python/requirements.txt",
    check: "import aio_pika, pydantic, jsonschema_rs, mypy.api",
};

/// Libraries that could not be installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path} could not be used: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error(
        "the tests need the Python libraries in {requirements}, and {why}.\n  Install them yourself and run this again:\n    {PYTHON} -m venv --clear {folder}\n    {folder}/bin/python -m pip install --use-pep517 --no-deps --requirement {requirements}"
    )]
    Pip { why: String, folder: String, requirements: &'static str },
}

/// Returns the interpreter that has the libraries. Installs them first if they are missing or of other versions.
pub(crate) fn provide(environment: Environment) -> Result<PathBuf, Error> {
    let Environment { folder, requirements: listed, check } = environment;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let requirements = workspace.join(listed);
    let wanted = read(&requirements)?;
    let folder = target::folder()?.join(folder);
    let python = folder.join("bin/python");
    // marks a complete installation: it is written last, and `venv --clear` removes it
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && works(&python, check) {
        return Ok(python);
    }
    println!("missing on this machine: Python libraries of the tests; installing those in {listed} from PyPI");
    let failed = |why| Error::Pip { why, folder: folder.display().to_string(), requirements: listed };
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
    if !works(&python, check) {
        return Err(failed(format!("pip installed them, but `{check}` fails")));
    }
    fs::write(&stamp, wanted).map_err(|error| Error::File { path: stamp, error })?;
    Ok(python)
}

fn works(python: &Path, check: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", check]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
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
