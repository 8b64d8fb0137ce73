//! Asks a person on a terminal.

use std::io::{self, BufRead, IsTerminal};

/// Asks whether to go on; without a terminal the answer is no.
pub(crate) fn asked(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
