//! The trait of a command, and its result.

use std::error::Error;

/// A command, read from the command line.
pub(crate) trait Run {
    /// Runs the command.
    fn run(self) -> Result<Outcome, Box<dyn Error + Send + Sync>>;
}

/// The result of a command that ran to completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well: exit code 0.
    Fine,
    /// The command found something: exit code 1.
    Found,
    /// Undecided: exit code 3.
    Undecided,
}
