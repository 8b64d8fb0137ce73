//! Reads a schemas folder as it was at another revision, through git.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use twyla_build::lock::FILE_NAME;
use twyla_contract::similar::{self, DidYouMean};

use super::git::{self, Objects};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Git(#[from] git::Error),
    #[error("{} is not in a git repository: {message}", folder.display())]
    NoRepository { folder: PathBuf, message: String },
    #[error(
        "there is no revision `{revision}` here: if a remote has it, or this clone is shallow, fetch it first{}",
        DidYouMean(near.as_deref())
    )]
    NoRevision { revision: String, near: Option<String> },
    #[error("{folder} doesn't exist at `{revision}`: there is nothing to compare with")]
    NoFolder { revision: String, folder: String },
    #[error("git can't read the object {0}")]
    Unreadable(String),
    #[error("{path} can't be written to a temporary folder: {error}")]
    Unwritable { path: String, error: io::Error },
}

/// Returns the branch or tag with the most similar name.
fn nearest(folder: &Path, revision: &str) -> Option<String> {
    let names = git::run(folder, ["for-each-ref", "--format=%(refname:short)"]).ok()?;
    let names = String::from_utf8_lossy(&names);
    // search branches that only a remote has, too: `origin/main` for `mian`
    let short = |name: &&str| name.split_once('/').map_or(*name, |(_, rest)| rest).to_owned();
    let near = similar::nearest(revision, names.lines()).map(str::to_owned);
    let short: Vec<(String, &str)> = names.lines().map(|name| (short(&name), name)).collect();
    near.or_else(|| {
        let near = similar::nearest(revision, short.iter().map(|(short, _)| short.as_str()))?;
        short.iter().find(|(short, _)| short == near).map(|(_, name)| (*name).to_owned())
    })
}

/// A folder at a revision.
pub(crate) struct Revision {
    /// The folder to run git in.
    folder: PathBuf,
    commit: String,
    /// The files of the folder: their paths in it, and their objects.
    files: Vec<(String, String)>,
}

impl Revision {
    /// Finds the folder's files at a revision.
    pub(crate) fn find(folder: &Path, revision: &str) -> Result<Self, Error> {
        // a folder that no longer exists is found through its nearest existing ancestor
        let there = folder.ancestors().find(|folder| folder.is_dir()).filter(|it| !it.as_os_str().is_empty());
        let there = there.unwrap_or(Path::new("."));
        let below = folder.strip_prefix(there).unwrap_or(Path::new("")).to_string_lossy().replace('\\', "/");
        let prefix = git::run(there, ["rev-parse", "--show-prefix"]).map_err(|error| match error {
            git::Error::Failed(message) => Error::NoRepository { folder: folder.to_owned(), message },
            error => error.into(),
        })?;
        let prefix = String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned();
        let below = if below.is_empty() { String::new() } else { format!("{below}/") };
        let prefix = format!("{prefix}{below}");
        let commit = format!("{revision}^{{commit}}");
        let commit = git::run(there, ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
        let commit = commit.map_err(|error| match error {
            git::Error::Failed(_) => {
                Error::NoRevision { revision: revision.to_owned(), near: nearest(there, revision) }
            }
            error => error.into(),
        })?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let tree = git::run(there, ["ls-tree", "-r", "-z", "--full-tree", &commit, "--", &prefix])?;
        let line = |line: &[u8]| {
            let (about, path) = std::str::from_utf8(line).ok()?.split_once('\t')?;
            // symbolic links are left out, as in the working tree
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

    /// Returns the text of the folder's lock, if it had one.
    pub(crate) fn lock(&self) -> Result<Option<Vec<u8>>, Error> {
        let Some((_, object)) = self.files.iter().find(|(path, _)| path == FILE_NAME) else { return Ok(None) };
        Ok(Some(git::run(&self.folder, ["cat-file", "blob", object])?))
    }

    /// Writes the folder's schemas to a temporary folder, which is removed when the result is dropped.
    pub(crate) fn files(&self) -> Result<TempDir, Error> {
        let kept = TempDir::with_prefix("twyla-").map_err(|error| self.unwritable("a folder", error))?;
        let mut objects = Objects::open(&self.folder)?;
        for (path, object) in self.files.iter().filter(|(path, _)| path.ends_with(".json")) {
            let text = objects.read(object)?.ok_or_else(|| self.unreadable(path))?;
            let file = kept.path().join(path);
            let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
            written.map_err(|error| self.unwritable(path, error))?;
        }
        Ok(kept)
    }

    fn unreadable(&self, path: &str) -> Error {
        Error::Unreadable(format!("{}:{path}", self.commit))
    }

    fn unwritable(&self, path: &str, error: io::Error) -> Error {
        Error::Unwritable { path: format!("{}:{path}", self.commit), error }
    }
}
