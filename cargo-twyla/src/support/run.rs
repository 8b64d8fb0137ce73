//! What a command implements, and what its exit code says.

use std::error::Error;

/// A command, read from the command line.
pub(crate) trait Run {
    /// Does it.
    fn run(self) -> Result<Outcome, Box<dyn Error + Send + Sync>>;
}

/// The result of a command that ran to completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well: exit code 0.
    Fine,
    /// It has found what it looks for: exit code 1.
    Found,
    /// It couldn't be decided whether all is well: exit code 3.
    Undecided,
}
