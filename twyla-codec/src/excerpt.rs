//! Quoting of untrusted values for messages.

use std::fmt::Write;

use twyla_contract::text::is_invisible;

/// The maximum number of characters of a value in a message.
const SHOWN: usize = 60;

/// Returns the value as a JSON string, shortened to [`SHOWN`] characters.
#[must_use]
pub(crate) fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for (count, c) in value.chars().enumerate() {
        if count == SHOWN {
            out.push('…');
            break;
        }
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if is_invisible(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_values() {
        assert_eq!(quoted(&"x".repeat(61)).chars().count(), 63);
        assert_eq!(quoted("a\u{1}\"\n"), r#""a\u0001\"\n""#);
    }
}
