//! Patterns, compiled for matching values.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use crate::schema::pattern::{self, Translated};

/// The maximum number of cached patterns. When it is reached, unused ones are removed.
const KEPT: usize = 1_000;

/// The compiled patterns that are in use, by their text.
static COMPILED: LazyLock<Mutex<HashMap<String, Weak<Matcher>>>> = LazyLock::new(Mutex::default);

/// A compiled pattern.
#[derive(Debug)]
pub(crate) enum Matcher {
    Plain(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
    /// The pattern is supported by neither crate.
    Neither,
}

impl Matcher {
    /// Returns the matcher of a pattern. Users of a pattern at the same time, such as both sides of a comparison, share
    /// its matcher.
    pub(crate) fn shared(written: &str) -> Arc<Self> {
        let compiled = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled().get(written).and_then(Weak::upgrade) {
            return known;
        }
        let matcher = Arc::new(Self::new(written));
        let mut compiled = compiled();
        if compiled.len() >= KEPT {
            compiled.retain(|_, matcher| matcher.strong_count() > 0);
        }
        if compiled.len() < KEPT {
            compiled.insert(written.to_owned(), Arc::downgrade(&matcher));
        }
        matcher
    }

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
