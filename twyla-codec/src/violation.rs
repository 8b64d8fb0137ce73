//! What is reported of a value that its contract refuses.

use std::fmt;

use twyla_contract::text::Visible;

use crate::path::Path;

/// More broken rules than these are not told one by one: a hostile content could have millions.
const MOST_VIOLATIONS: usize = 100;

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

/// The broken rules that were found so far.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Notes a broken rule.
    pub fn push(&mut self, at: &Path<'_>, keyword: &'static str, message: String) {
        if self.0.len() < MOST_VIOLATIONS {
            self.0.push(Violation { pointer: at.pointer(), keyword, message });
        }
    }

    /// Notes what was found elsewhere.
    pub(crate) fn append(&mut self, more: Self) {
        let room = MOST_VIOLATIONS.saturating_sub(self.0.len());
        self.0.extend(more.0.into_iter().take(room));
    }

    /// All of them.
    #[must_use]
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }

    /// Whether so many were found that looking further tells nobody more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.len() >= MOST_VIOLATIONS
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
