//! Every problem that a schemas folder can have, in one place: what is wrong, in which words, and whether it is an error.

mod kind;
mod message;

use std::fmt;

use twyla_contract::text::Visible;

use crate::schema::load::At;

pub(crate) use kind::WARNINGS;
pub use kind::What;

/// One problem with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as messages show it.
    pub file: String,
    /// The place in the file; none where the file as a whole is meant.
    pub at: Option<At>,
    /// What is wrong.
    pub what: What,
}

impl Problem {
    /// Whether the contracts can't be compiled for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.what.warning().is_none()
    }

    /// What problems are sorted by: file, then place.
    pub(crate) fn order(&self) -> (String, Option<At>, String) {
        (self.file.clone(), self.at, self.what.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.at {
            Some(At { line, column }) => format!("{}:{line}:{column}: {}", self.file, self.what),
            None => format!("{}: {}", self.file, self.what),
        };
        let text = match self.what.warning() {
            Some(name) => format!("{text} [{name}]"),
            None => text,
        };
        // a problem is one line: what a schema names must not begin another, which cargo would obey
        write!(f, "{}", Visible(&text))
    }
}

/// The problems of a folder of which at least one is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Tells cargo of them; that isn't a success.
    pub(crate) fn told(&self) -> bool {
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
