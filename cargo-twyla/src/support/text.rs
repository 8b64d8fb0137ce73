//! Formats the parts of a message: times, untrusted texts, and tables.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use twyla_contract::text::{is_invisible, shortened};

use super::paint::tame;

/// Formats a time, to the second.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns a text as one line, with invisible characters replaced by spaces.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect()
}

/// The maximum length of a shown witness, in characters.
const SHOWN: usize = 300;

/// Returns the beginning of a witness as JSON in one line.
pub(crate) fn witness(event: &Value) -> String {
    tame(&shortened(&event.to_string(), SHOWN))
}

/// Returns `a, b and c`.
pub(crate) fn and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Returns the end of a message about an unknown name, or nothing if no name is similar.
pub(crate) fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}

/// Replaces the invisible characters of a text by `.`, except for line feeds.
pub(crate) fn lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || !is_invisible(c) { c } else { '.' }).collect()
}

/// Formats a line for each name and value.
pub(crate) fn table<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<14} {}", one_line(&value));
    }
    text
}
