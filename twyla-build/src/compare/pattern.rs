//! Patterns of ECMA-262, matched as contracts match them.

use crate::schema::evaluate::Matcher;
use crate::schema::pattern::{self, Translated};

/// A pattern of ECMA-262, read as in a contract.
///
/// ```
/// use twyla_build::compare::Pattern;
///
/// let pattern = Pattern::new(r"^(?<year>\d{4})-\k<year>$");
/// assert_eq!(pattern.is_match("2026-2026"), Some(true));
/// assert_eq!(pattern.is_match("2026-2027"), Some(false));
/// assert_eq!(Pattern::new("^[^]$").is_match("\n"), Some(true));
/// ```
#[derive(Debug)]
pub struct Pattern {
    matcher: Matcher,
    translated: Option<Translated>,
}

impl Pattern {
    /// Reads a pattern as written.
    #[must_use]
    pub fn new(written: &str) -> Self {
        Self { matcher: Matcher::new(written), translated: pattern::translate(written) }
    }

    /// Returns whether a text contains a match; `None` if the pattern isn't valid, or matching takes too much work.
    #[must_use]
    pub fn is_match(&self, text: &str) -> Option<bool> {
        self.matcher.is_match(text)
    }

    /// Returns the pattern in the syntax of the `regex` crate, if that supports it.
    #[must_use]
    pub fn regex(&self) -> Option<&str> {
        if let Some(Translated::Plain(pattern)) = &self.translated { Some(pattern) } else { None }
    }

    /// Returns the pattern in the syntax of the `fancy-regex` crate, if it has a lookaround or a backreference.
    #[must_use]
    pub fn backtracking(&self) -> Option<&str> {
        if let Some(Translated::Backtracking(pattern)) = &self.translated { Some(pattern) } else { None }
    }
}
