//! The errors of `cargo xtask layers`.

use std::io;
use std::path::PathBuf;

use super::table;
use crate::target;

/// The file with the table of layers.
pub(super) const MAP: &str = "ARCHITECTURE.md";

/// A failed check, or files that can't be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("{path} could not be read: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("{path} is not Rust: {error}")]
    Syntax { path: PathBuf, error: syn::Error },
    #[error("{MAP}: {0}")]
    Table(#[from] table::Error),
    #[error("{0} problems in the layers of the crates, listed above")]
    Problems(usize),
}
