//! `cargo twyla check`, `accept` and `diff`: contracts and their lock. [`git`] reads what they were in another revision,
//! [`show`] prints what is found, and [`json`] does for other programs.

mod accept;
mod check;
mod diff;
mod git;
mod json;
mod show;

pub(crate) use accept::Args as Accept;
pub(crate) use check::Args as Check;
pub(crate) use diff::Args as Diff;

use twyla_build::lock::Lock;
use twyla_build::{Builder, Problems};

use crate::schemas::{self, Folder};

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Schemas(#[from] schemas::Error),
    #[error("\n{0}")]
    Problems(#[from] Problems),
    #[error("{folder} has no lock to be checked against: `cargo twyla accept` makes the first one")]
    NoLock { folder: String },
    #[error(transparent)]
    Git(#[from] git::Error),
}

/// The contracts of a folder at a revision: what its lock has, or its schemas where it has none.
fn at_revision(folder: &Folder, revision: &str) -> Result<Lock, Error> {
    let then = git::Revision::find(&folder.path, revision)?;
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
