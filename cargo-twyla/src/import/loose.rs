//! The files that are imported, and those that are left.

use super::json::Json;

/// A loose file: its path below the folder, with `/`.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    pub(super) path: String,
    pub(super) json: Json,
}

/// A file that isn't imported, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) path: String,
    pub(super) why: String,
}
