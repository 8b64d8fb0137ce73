//! Writes an output file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be written: {error}", path.display())]
pub(crate) struct Unwritable {
    path: PathBuf,
    error: io::Error,
}

/// Writes a file, and creates its folder.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<(), Unwritable> {
    let unwritable = |error| Unwritable { path: path.to_owned(), error };
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(unwritable)?;
    fs::write(path, text).map_err(unwritable)
}
