//! A schemas folder as it was in another revision, read through git.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use twyla_build::lock::FILE_NAME;

use crate::support::paint::tame;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("git can't be run: {0}")]
    NoGit(io::Error),
    #[error("{} is in no git repository: {said}", folder.display())]
    NoRepository { folder: PathBuf, said: String },
    #[error(
        "there is no revision `{revision}` here; where it is a branch of another place, or the clone is a shallow one, \
         fetch it first"
    )]
    NoRevision { revision: String },
    #[error("at `{revision}` there was no {folder}: there is nothing to compare with")]
    NoFolder { revision: String, folder: String },
    #[error("git has failed: {0}")]
    Git(String),
    #[error("what git has of {path} can't be kept: {error}")]
    Unwritable { path: String, error: io::Error },
}

/// A folder at a revision.
pub(super) struct Revision {
    /// Where git is run.
    folder: PathBuf,
    commit: String,
    /// The files below the folder, by their path there, and their objects.
    files: Vec<(String, String)>,
}

impl Revision {
    /// Finds the files that the folder had.
    pub(super) fn find(folder: &Path, revision: &str) -> Result<Self, Error> {
        // of a folder that isn't there any more, what is above it is asked
        let there = folder.ancestors().find(|folder| folder.is_dir()).filter(|it| !it.as_os_str().is_empty());
        let there = there.unwrap_or(Path::new("."));
        let below = folder.strip_prefix(there).unwrap_or(Path::new("")).to_string_lossy().replace('\\', "/");
        let prefix = run(there, ["rev-parse", "--show-prefix"])?;
        let prefix = prefix.map_err(|said| Error::NoRepository { folder: folder.to_owned(), said })?;
        let prefix = String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned();
        let below = if below.is_empty() { String::new() } else { format!("{below}/") };
        let prefix = format!("{prefix}{below}");
        let commit = format!("{revision}^{{commit}}");
        let commit = run(there, ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
        let commit = commit.map_err(|_| Error::NoRevision { revision: revision.to_owned() })?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let tree = run(there, ["ls-tree", "-r", "-z", "--full-tree", &commit, "--", &prefix])?.map_err(Error::Git)?;
        let line = |line: &[u8]| {
            let (about, path) = std::str::from_utf8(line).ok()?.split_once('\t')?;
            // a link is none of the folder's files today either
            let mut about = about.strip_prefix("100")?.split(' ');
            let (_mode, _kind, object) = (about.next()?, about.next()?, about.next()?);
            Some((path.strip_prefix(&prefix)?.to_owned(), object.to_owned()))
        };
        let files: Vec<(String, String)> = tree.split(|byte| *byte == 0).filter_map(line).collect();
        if files.is_empty() {
            let folder = if prefix.is_empty() { "." } else { prefix.trim_end_matches('/') };
            return Err(Error::NoFolder { revision: revision.to_owned(), folder: folder.to_owned() });
        }
        Ok(Self { folder: there.to_owned(), commit, files })
    }

    /// The text of its lock, where it had one.
    pub(super) fn lock(&self) -> Result<Option<Vec<u8>>, Error> {
        let Some((_, object)) = self.files.iter().find(|(path, _)| path == FILE_NAME) else { return Ok(None) };
        Ok(Some(run(&self.folder, ["cat-file", "blob", object])?.map_err(Error::Git)?))
    }

    /// Its schemas, in a folder that is gone when this is dropped.
    pub(super) fn files(&self) -> Result<TempDir, Error> {
        let kept = TempDir::with_prefix("twyla-").map_err(|error| self.unwritable("a folder", error))?;
        let mut git = Command::new("git")
            .args(["cat-file", "--batch"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::NoGit)?;
        let ended = || Error::Git("it ended too soon".to_owned());
        let (mut asked, mut answers) =
            (git.stdin.take().ok_or_else(ended)?, BufReader::new(git.stdout.take().ok_or_else(ended)?));
        for (path, object) in self.files.iter().filter(|(path, _)| path.ends_with(".json")) {
            writeln!(asked, "{object}").map_err(|error| Error::Git(error.to_string()))?;
            let mut head = String::new();
            answers.read_line(&mut head).map_err(|error| Error::Git(error.to_string()))?;
            let size =
                head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()).ok_or_else(ended)?;
            let mut text = Vec::new();
            answers.by_ref().take(size).read_to_end(&mut text).map_err(|error| Error::Git(error.to_string()))?;
            // and the end of its last line
            answers.read_line(&mut head).map_err(|error| Error::Git(error.to_string()))?;
            let file = kept.path().join(path);
            let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
            written.map_err(|error| self.unwritable(path, error))?;
        }
        drop(asked);
        git.wait().map_err(Error::NoGit)?;
        Ok(kept)
    }

    fn unwritable(&self, path: &str, error: io::Error) -> Error {
        Error::Unwritable { path: format!("{}:{path}", self.commit), error }
    }
}

/// What git prints, or what it says where it fails.
fn run<A: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>) -> Result<Result<Vec<u8>, String>, Error> {
    let output = Command::new("git").args(args).current_dir(folder).stdin(Stdio::null()).output();
    let output = output.map_err(Error::NoGit)?;
    if output.status.success() {
        return Ok(Ok(output.stdout));
    }
    Ok(Err(tame(String::from_utf8_lossy(&output.stderr).trim())))
}
