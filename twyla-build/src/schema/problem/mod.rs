//! The problems of a schemas folder, each with its place.

mod kind;
mod message;

use std::fmt;

use twyla_contract::text::Visible;

use crate::schema::load::At;

pub use kind::ProblemKind;
pub(crate) use kind::WARNINGS;

/// One problem with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as messages show it.
    pub file: String,
    /// The place in the file; `None` for the file as a whole.
    pub at: Option<At>,
    /// The kind of the problem.
    pub kind: ProblemKind,
}

impl Problem {
    /// Returns whether the problem is an error; otherwise it is a warning.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.kind.warning().is_none()
    }

    /// Returns whether a record of an accepted contract, which an earlier release may have written, may have the problem.
    pub(crate) fn is_of_records(&self) -> bool {
        matches!(self.kind, ProblemKind::InexactFactor { .. })
    }

    /// Returns the sort key of problems: file, then place.
    pub(crate) fn order(&self) -> (String, Option<At>, String) {
        (self.file.clone(), self.at, self.kind.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.at {
            Some(At { line, column }) => format!("{}:{line}:{column}: {}", self.file, self.kind),
            None => format!("{}: {}", self.file, self.kind),
        };
        let text = match self.kind.warning() {
            Some(name) => format!("{text} [{name}]"),
            None => text,
        };
        // a problem is one line: text of a schema must not begin another line, which cargo would take as a directive
        write!(f, "{}", Visible(&text))
    }
}

/// The problems of a folder, at least one of which is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Prints the problems as directives of cargo. Returns false, since the build has failed.
    pub(crate) fn report_to_cargo(&self) -> bool {
        for problem in &self.0 {
            println!("cargo::{}={problem}", if problem.is_error() { "error" } else { "warning" });
        }
        false
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let word = if problem.is_error() { "error" } else { "warning" };
            write!(f, "{}{word}: {problem}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}
