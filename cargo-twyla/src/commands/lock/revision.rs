//! The contracts of a folder at another revision of the repository.

use twyla_build::lock::Lock;
use twyla_build::{Builder, Problems};

use crate::support::revision::{self as git, Revision};
use crate::support::schemas::{self, Folder};

/// Contracts that can't be checked against a lock.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Schemas(#[from] schemas::Error),
    #[error("\n{0}")]
    Problems(#[from] Problems),
    #[error("{folder} has no lock to check against: `cargo twyla accept` creates it")]
    NoLock { folder: String },
    #[error(transparent)]
    Git(#[from] git::Error),
}

/// Returns the contracts of a folder at a revision: from its lock, or from its schemas if it has no lock.
pub(super) fn at_revision(folder: &Folder, revision: &str) -> Result<Lock, Error> {
    let then = Revision::find(&folder.path, revision)?;
    let shown = format!("{revision}:{}", folder.shown);
    if let Some(text) = then.lock()? {
        let lock = Lock::parse(&format!("{shown}/{}", twyla_build::lock::FILE_NAME), &text)?;
        lock.verify(&shown)?;
        return Ok(lock);
    }
    let files = then.files()?;
    let builder: Builder = folder.builder_of(files.path(), &shown, None);
    Ok(Lock::of(&builder.contracts()?))
}
