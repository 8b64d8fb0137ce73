//! Runs git, and reads objects of a repository.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::paint::tame;

/// Larger objects are not read: no schema has 16 MiB.
const MAX_OBJECT: u64 = 16 << 20;

/// A git command that didn't succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("git can't be run: {0}")]
    NotRun(io::Error),
    /// What git printed to its standard error.
    #[error("git failed: {0}")]
    Failed(String),
}

/// Runs git in a folder, and returns its output.
pub(crate) fn run<A: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>) -> Result<Vec<u8>, Error> {
    let mut git = Command::new("git");
    git.args(["-c", "core.quotePath=false", "-c", "log.showSignature=false"]).args(args);
    let output = git.current_dir(folder).stdin(Stdio::null()).output().map_err(Error::NotRun)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Failed(tame(String::from_utf8_lossy(&output.stderr).trim())))
}

/// Reads objects by their ids, all through one process.
pub(crate) struct Objects {
    git: Child,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    /// Starts git in a folder of the repository.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let mut git = Command::new("git");
        git.args(["cat-file", "--batch"]).current_dir(folder);
        let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let answers = git.as_mut().map_or(None, |git| git.stdout.take());
        let git = git.map_err(Error::NotRun)?;
        let answers = answers.ok_or_else(|| Error::Failed("it has no output".to_owned()))?;
        Ok(Self { git, answers: BufReader::new(answers) })
    }

    /// Returns the content of an object; `None` if it is missing, or larger than 16 MiB.
    pub(crate) fn read(&mut self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        self.ask(id).map_err(|error| Error::Failed(error.to_string()))
    }

    fn ask(&mut self, id: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(requests) = &mut self.git.stdin else { return Err(io::ErrorKind::BrokenPipe.into()) };
        writeln!(requests, "{id}")?;
        // `<id> blob <size>`, the content and a line feed; or `<id> missing`
        let mut head = String::new();
        if self.answers.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(size) = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()) else {
            return Ok(None);
        };
        let mut content = self.answers.by_ref().take(size + 1);
        if size > MAX_OBJECT {
            io::copy(&mut content, &mut io::sink())?;
            return Ok(None);
        }
        let mut text = Vec::new();
        content.read_to_end(&mut text)?;
        text.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(Some(text))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // dropping the handle closes git's standard input, and git ends
        let _ = self.git.wait();
    }
}
