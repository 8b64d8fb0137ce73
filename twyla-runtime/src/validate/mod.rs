//! Holding values to their contracts: what is refused, where, and by which rule.
//!
//! [`contract`] decodes and encodes; on its way a value meets [`rules`] (what a single value is held to), [`formats`] and
//! [`pattern`], [`path`] (where it is) and, for rules that lead further, [`schema`].

use std::fmt;

use twyla_contract::text::Visible;

#[doc(hidden)]
pub mod contract;
#[doc(hidden)]
pub mod formats;
#[doc(hidden)]
pub mod path;
#[doc(hidden)]
pub mod pattern;
#[doc(hidden)]
pub mod rules;
#[doc(hidden)]
pub mod schema;
#[doc(hidden)]
pub mod sensitive;

/// A value that its contract refuses, with each rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Each broken rule; at least one.
    pub violations: Vec<Violation>,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where the offending value is in the content or context: a JSON Pointer (RFC 6901), empty for the whole. A name of
    /// more than 200 characters is cut there, and has `…` at its end.
    pub pointer: String,
    /// The keyword that refuses it, for example `maxLength`; `json` where the text is no JSON.
    pub keyword: &'static str,
    /// What is wrong, with the rule and the value, shortened.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(root)" } else { &self.pointer };
        // names come from outside, as values do
        write!(f, "{}: {}", Visible(pointer), Visible(&self.message))
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, violation) in self.violations.iter().enumerate() {
            write!(f, "{}{violation}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_shows_nothing_that_is_invisible() {
        let (pointer, message) =
            ("/a\u{202e}\n".to_owned(), format!("{} is wrong", rules::shown("b\u{2067}\u{e0061}\u{1b}")));
        let violation = Violation { pointer, keyword: "const", message };
        assert_eq!(violation.to_string(), r#"/a\u{202e}\n: "b\u2067\udb40\udc61\u001b" is wrong"#);
    }
}
