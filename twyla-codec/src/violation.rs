//! Violations: the rules of a contract that a value breaks.

use std::fmt;

use twyla_contract::text::Visible;

use crate::path::Path;

/// The maximum number of reported violations: a hostile content could have millions.
const MOST_VIOLATIONS: usize = 100;

/// The refusal of a value by its contract, with each broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Each broken rule; at least one.
    pub violations: Vec<Violation>,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The JSON Pointer (RFC 6901) of the value in the content or context, empty for the whole. A name of more than 200
    /// characters is cut, and ends with `…`.
    pub pointer: String,
    /// The keyword that refuses the value, for example `maxLength`; `json` if the text is not valid JSON.
    pub keyword: &'static str,
    /// A description of the problem, with the rule and the shortened value.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(root)" } else { &self.pointer };
        // names are untrusted, as values are
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

/// A collector of broken rules.
#[derive(Debug, Default)]
pub struct Violations {
    all: Vec<Violation>,
}

impl Violations {
    /// Creates an empty collector.
    #[must_use]
    pub const fn new() -> Self {
        Self { all: Vec::new() }
    }

    /// Returns whether there is no violation.
    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds a broken rule.
    pub fn push(&mut self, at: &Path<'_>, keyword: &'static str, message: String) {
        if self.all.len() < MOST_VIOLATIONS {
            self.all.push(Violation { pointer: at.pointer(), keyword, message });
        }
    }

    /// Adds the violations of another collector.
    pub(crate) fn append(&mut self, more: Self) {
        let room = MOST_VIOLATIONS.saturating_sub(self.all.len());
        self.all.extend(more.all.into_iter().take(room));
    }

    /// Returns all violations.
    #[must_use]
    pub fn into_vec(self) -> Vec<Violation> {
        self.all
    }

    /// Returns whether the limit is reached, so that further checks are pointless.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.all.len() >= MOST_VIOLATIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_at_most_a_hundred() {
        let mut out = Violations::new();
        (0..1000).for_each(|_| out.push(&Path::root(), "minItems", String::new()));
        assert_eq!((out.is_full(), out.into_vec().len()), (true, MOST_VIOLATIONS));
    }

    #[test]
    fn a_violation_shows_nothing_that_is_invisible() {
        let (pointer, message) =
            ("/a\u{202e}\n".to_owned(), format!("{} is wrong", crate::excerpt::quoted("b\u{2067}\u{e0061}\u{1b}")));
        let violation = Violation { pointer, keyword: "const", message };
        assert_eq!(violation.to_string(), r#"/a\u{202e}\n: "b\u2067\udb40\udc61\u001b" is wrong"#);
    }
}
