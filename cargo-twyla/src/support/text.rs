//! Parts of what is shown of a message: a time, a text that somebody else has written, a table of both.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use twyla_contract::text::is_invisible;

/// A time, to the second.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A text in one line, in which nothing moves the cursor or is invisible.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect()
}

/// The same of a text with several lines.
pub(crate) fn lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || !is_invisible(c) { c } else { '.' }).collect()
}

/// A line for each name and value.
pub(crate) fn table<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<14} {}", one_line(&value));
    }
    text
}
