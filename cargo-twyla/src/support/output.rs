//! The file that a command writes where it was told to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why it isn't there.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be written: {error}", path.display())]
pub(crate) struct Unwritable {
    path: PathBuf,
    error: io::Error,
}

/// Writes it, and makes the folder that it is to be in.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<(), Unwritable> {
    let unwritable = |error| Unwritable { path: path.to_owned(), error };
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(unwritable)?;
    fs::write(path, text).map_err(unwritable)
}
