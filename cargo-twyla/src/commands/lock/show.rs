//! Formats findings for a terminal.

use std::fmt::{Display, Write};

use anstyle::Style;
use twyla_build::lock::{Message, Severity};

use super::features::FeatureLag;
use crate::support::paint::{BAD, FAINT, HEAD, UNSURE, paint, tame};

/// Formats all findings. The worst comes last, because a terminal shows the end first.
pub(super) fn text(reports: &[Message], strict: bool) -> String {
    let mut out = String::new();
    let mut reports: Vec<&Message> = reports.iter().collect();
    reports.sort_by_key(|report| report.severity);
    for Message { severity, lines } in reports {
        let (style, word) = if *severity >= Severity::least(strict) { (BAD, "error") } else { (UNSURE, "warning") };
        for (index, line) in lines.iter().enumerate() {
            let _ = match index {
                0 => writeln!(out, "{}: {}", paint(style, word), paint(HEAD, line)),
                _ => writeln!(out, "{}", labelled(line)),
            };
        }
        out.push('\n');
    }
    out
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

/// Returns a warning for each difference between the features of a contracts crate and its schemas.
pub(super) fn feature_lags(lags: &[FeatureLag]) -> String {
    let mut out = String::new();
    for lag in lags {
        let place = tame(&lag.place.to_string());
        let headline = format!("{place}: {}", lag.headline());
        let _ = writeln!(out, "{}: {}", paint(UNSURE, "warning"), paint(HEAD, headline));
        let _ = writeln!(out, "{}\n", labelled(&format!("  options  - {}", lag.remedy())));
    }
    out
}
