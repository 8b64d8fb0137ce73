//! Asks the user for confirmation.

use std::io::{self, BufRead, IsTerminal};

/// The user did not confirm.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("nothing was done: standard input is not a terminal, so confirm with --yes")]
    NoTerminal,
    #[error("nothing was done: not confirmed")]
    NotConfirmed,
    #[error("the answer can't be read: {0}")]
    Io(#[from] io::Error),
}

/// Asks whether to go on, unless `yes` is set.
///
/// # Errors
/// If the answer is no, or standard input isn't a terminal.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Refused> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Refused::NoTerminal);
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Refused::NotConfirmed) }
}
