//! Escapes text for Markdown.

use std::fmt::Write;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use twyla_contract::text::{Visible, is_invisible};

/// Stands for a hard line break within the text of a paragraph. Input never contains this character: line breaks of the
/// input become spaces.
pub(super) const BREAK: char = '\r';

/// Returns Markdown that shows a text unchanged, in one line.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(text, &mut out);
    out
}

/// Returns Markdown that shows a text as code, in one line.
pub(crate) fn code(text: &str) -> String {
    let text = Visible(text).to_string();
    let ticks = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    if text.is_empty() || ticks > 1 {
        // three backticks could begin a fence, and a code span can't be empty
        return plain(if text.is_empty() { "\"\"" } else { &text });
    }
    let around = if ticks == 0 { "`" } else { "``" };
    let ends_odd = text.starts_with('`') || text.ends_with('`') || text.starts_with(' ') && text.ends_with(' ');
    // Markdown strips one space at each end, unless the code is only spaces
    let gap = if ends_odd && !text.chars().all(|c| c == ' ') { " " } else { "" };
    format!("{around}{gap}{text}{gap}{around}")
}

/// Appends a text to `out` with every special character escaped, except those that matter only at the beginning of a line.
/// A run of white space becomes one space.
pub(super) fn escape(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek();
        match c {
            ' ' | '\t' | '\n' | '\r' => {
                if !out.ends_with([' ', '\n', BREAK]) {
                    out.push(' ');
                }
            }
            // some renderers begin a formula at a dollar, even in code
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' | '|' | '$' => out.extend(['\\', c]),
            // within a word, `_` has no meaning
            '_' if out.ends_with(char::is_alphanumeric) && next.is_some_and(|c| c.is_alphanumeric()) => out.push(c),
            '_' => out.push_str("\\_"),
            '&' if next.is_some_and(|c| c.is_ascii_alphanumeric() || *c == '#') => out.push_str("\\&"),
            // rustdoc warns of a URL that isn't a link
            ':' if next == Some(&'/') && (out.ends_with("http") || out.ends_with("https")) => out.push_str("\\:"),
            c if is_invisible(c) => {
                let _ = write!(out, "\\{}", c.escape_default());
            }
            c => out.push(c),
        }
    }
}

/// Escapes the beginning of a line if it could begin a block.
pub(super) fn guard(line: &str) -> String {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let at = match line.as_bytes().get(digits..).unwrap_or_default() {
        [b'.' | b')'] | [b'.' | b')', b' ', ..] if digits > 0 => digits,
        [b'#' | b'+' | b'-' | b'=' | b'>', ..] if digits == 0 => 0,
        _ => return line.to_owned(),
    };
    let (before, from) = line.split_at(at);
    format!("{before}\\{from}")
}

/// Returns the URL as the target of a link; `None` unless it begins with `http://` or `https://`.
pub(super) fn web(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    if rest.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            c if c.is_alphanumeric() || "-._~:/?#@!&'*+,;=%".contains(c) => out.push(c),
            c => out.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC)),
        }
    }
    Some(out)
}

/// Returns the length of the URL at the beginning of a text, without the punctuation of the surrounding sentence.
pub(super) fn url_length(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || is_invisible(c) || "<>\"`|\\^{}".contains(c);
    let mut url = text.split(ends).next().unwrap_or_default();
    while let Some(end) = url.chars().next_back() {
        let open = match end {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => None,
            ')' => Some('('),
            ']' => Some('['),
            _ => break,
        };
        if open.is_some_and(|open| url.matches(open).count() >= url.matches(end).count()) {
            break;
        }
        url = url.get(..url.len() - end.len_utf8()).unwrap_or_default();
    }
    url.len()
}
