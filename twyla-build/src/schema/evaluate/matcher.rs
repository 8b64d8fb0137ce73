//! Patterns, as values are matched against them.

use crate::schema::pattern::{self, Translated};

/// A pattern as a crate matches it.
#[derive(Debug)]
pub(crate) enum Matcher {
    Plain(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
    /// It can't be matched here.
    Neither,
}

impl Matcher {
    pub(crate) fn new(written: &str) -> Self {
        if pattern::check(written).is_err() {
            return Self::Neither;
        }
        match pattern::translate(written) {
            Some(Translated::Plain(pattern)) => regex::Regex::new(&pattern).map_or(Self::Neither, Self::Plain),
            Some(Translated::Backtracking(pattern)) => {
                fancy_regex::Regex::new(&pattern).map_or(Self::Neither, |it| Self::Backtracking(Box::new(it)))
            }
            None => Self::Neither,
        }
    }

    /// Whether a text has a match; none where nobody knows.
    pub(crate) fn is_match(&self, text: &str) -> Option<bool> {
        match self {
            Self::Plain(pattern) => Some(pattern.is_match(text)),
            Self::Backtracking(pattern) => pattern.is_match(text).ok(),
            Self::Neither => None,
        }
    }
}
