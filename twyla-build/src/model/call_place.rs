//! The place of a call in a build script.

use crate::schema::load::At;
use crate::schema::problem::{Problem, ProblemKind};

/// The place of a call in a build script.
#[derive(Clone, Debug)]
pub(crate) struct CallPlace {
    file: String,
    at: At,
}

impl CallPlace {
    /// Returns the place of the caller, for a function with `#[track_caller]`.
    #[track_caller]
    pub(crate) fn here() -> Self {
        let place = std::panic::Location::caller();
        Self { file: place.file().replace('\\', "/"), at: At { line: place.line(), column: place.column() } }
    }

    pub(super) fn problem(&self, kind: ProblemKind) -> Problem {
        Problem { file: self.file.clone(), at: Some(self.at), kind }
    }
}
