//! Patterns of ECMA-262, as contracts are held to them.

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
    /// The pattern as it is written.
    #[must_use]
    pub fn new(written: &str) -> Self {
        Self { matcher: Matcher::new(written), translated: pattern::translate(written) }
    }

    /// Whether a text has a match of it; none where that can't be known: it is no pattern, or takes too much work.
    #[must_use]
    pub fn is_match(&self, text: &str) -> Option<bool> {
        self.matcher.is_match(text)
    }

    /// The pattern in the syntax of the `regex` crate; none where that has no word for it.
    #[must_use]
    pub fn regex(&self) -> Option<&str> {
        if let Some(Translated::Plain(pattern)) = &self.translated { Some(pattern) } else { None }
    }

    /// The same in the syntax of the `fancy-regex` crate, where it has a lookaround or a backreference.
    #[must_use]
    pub fn backtracking(&self) -> Option<&str> {
        if let Some(Translated::Backtracking(pattern)) = &self.translated { Some(pattern) } else { None }
    }
}
