//! What is found, on a terminal.

use std::fmt::Display;

use anstyle::Style;
use twyla_build::lock::{Severity, Told};

use crate::support::paint::{BAD, FAINT, HEAD, UNSURE, paint, say};

/// Prints each thing that was found, the worst last, so that it stands where one looks first.
pub(super) fn told(told: &[Told], strict: bool) {
    let mut told: Vec<&Told> = told.iter().collect();
    told.sort_by_key(|told| told.severity);
    for Told { severity, lines } in told {
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

/// A line with the word in front of it in another colour.
pub(super) fn labelled(line: &str) -> impl Display {
    // two spaces, the word, and what it is about from the twelfth column on
    let at = line.char_indices().nth(LABEL).map_or(line.len(), |(at, _)| at);
    let (label, rest) = line.split_at(at);
    format!("{}{}", paint(FAINT, label), paint(style_of(label), rest))
}

const LABEL: usize = 11;

fn style_of(label: &str) -> Style {
    if label.trim() == "verdict" { HEAD } else { Style::new() }
}
