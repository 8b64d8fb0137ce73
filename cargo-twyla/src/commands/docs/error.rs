//! The errors of `cargo twyla docs`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Pages that can't be written or served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{} can't be written: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("{} contains other files: name an empty or a new folder for the pages", path.display())]
    NotOurs { path: PathBuf },
    #[error("pages can't be served at {at}: {error}")]
    Unservable { at: SocketAddr, error: io::Error },
}
