//! Asks a person on a terminal.

use std::io::{self, BufRead, IsTerminal};

/// What was asked is not to be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("nothing was done: say --yes where nobody can be asked")]
    Unasked,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Asks whether to go on, unless `yes` says so; without a terminal the answer is no.
///
/// # Errors
/// The answer is no.
pub(crate) fn consent(question: &str, yes: bool) -> Result<(), Refused> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Refused::Unasked);
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Refused::Unasked) }
}
