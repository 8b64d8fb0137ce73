//! Patterns, compiled for matching values.

use crate::schema::pattern::{self, Translated};

/// A compiled pattern.
#[derive(Debug)]
pub(crate) enum Matcher {
    Plain(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
    /// The pattern is supported by neither crate.
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

    /// Returns whether a text has a match; `None` if that is unknown.
    pub(crate) fn is_match(&self, text: &str) -> Option<bool> {
        match self {
            Self::Plain(pattern) => Some(pattern.is_match(text)),
            Self::Backtracking(pattern) => pattern.is_match(text).ok(),
            Self::Neither => None,
        }
    }
}
