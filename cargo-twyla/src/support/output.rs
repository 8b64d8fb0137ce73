//! Writes the output of a command: to a file, or to the terminal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::paint::print_text;

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

/// Writes a text into a file, without its colours; prints it if no file is given, or if the file is `-`.
pub(crate) fn print(path: Option<&Path>, text: &str) -> Result<(), Unwritable> {
    match path.filter(|path| path.as_os_str() != "-") {
        Some(path) => write(path, anstream::adapter::strip_str(text).to_string()),
        None => {
            print_text(format_args!("{text}"));
            Ok(())
        }
    }
}
