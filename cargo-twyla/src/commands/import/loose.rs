//! The files to import, and those that are left out.

use std::fmt;

use twyla_build::At;

use super::lines::Text;
use crate::support::json::Json;

/// A loose file: its path below the folder, with `/`.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    pub(super) path: String,
    pub(super) json: Json,
    /// The text that the file was read from; `None` for a part of a document.
    pub(super) text: Option<Text>,
}

impl Loose {
    /// Returns the place of a value in the file, by JSON Pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<At> {
        self.text.as_ref()?.at(pointer)
    }
}

/// A file that isn't imported, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SkippedFile {
    pub(super) path: String,
    /// The place of the reason, if it has a single one.
    pub(super) at: Option<At>,
    pub(super) why: String,
}

impl SkippedFile {
    /// Creates a skipped file whose reason concerns the whole file.
    pub(super) fn whole(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self { path: path.into(), at: None, why: why.into() }
    }
}

impl fmt::Display for SkippedFile {
    /// Writes the problem with its place: `` shop/paid.json:3:7: there is no type `sting` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, at, why } = self;
        match at {
            Some(At { line, column }) => write!(f, "{path}:{line}:{column}: {why}"),
            None => write!(f, "{path}: {why}"),
        }
    }
}
