//! Prints findings on a terminal.

use std::fmt::Display;

use anstyle::Style;
use twyla_build::lock::{Message, Severity};

use crate::support::paint::{BAD, FAINT, HEAD, UNSURE, paint, say};

/// Prints each finding, the worst last, where it is read first.
pub(super) fn print(reports: &[Message], strict: bool) {
    let mut reports: Vec<&Message> = reports.iter().collect();
    reports.sort_by_key(|report| report.severity);
    for Message { severity, lines } in reports {
        let (style, word) = if *severity >= Severity::least(strict) { (BAD, "error") } else { (UNSURE, "warning") };
        for (index, line) in lines.iter().enumerate() {
            match index {
                0 => say!("{}: {}", paint(style, word), paint(HEAD, line)),
                _ => say!("{}", labelled(line)),
            }
        }
        say!();
    }
}

/// Returns a line with its label in another colour.
pub(super) fn labelled(line: &str) -> impl Display {
    // two spaces, the label, and the text from the twelfth column on
    let at = line.char_indices().nth(LABEL).map_or(line.len(), |(at, _)| at);
    let (label, rest) = line.split_at(at);
    format!("{}{}", paint(FAINT, label), paint(style_of(label), rest))
}

const LABEL: usize = 11;

fn style_of(label: &str) -> Style {
    if label.trim() == "verdict" { HEAD } else { Style::new() }
}
