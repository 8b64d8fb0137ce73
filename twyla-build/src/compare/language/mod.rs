//! Sets of texts as automata: which texts match a pattern, and the shortest one that matches some patterns and not others.
//!
//! `automaton` is the automaton of one pattern; `alphabet` has one character for each class that the automata distinguish;
//! `search` runs several automata at once within a `budget`; `formats` has the languages of formats, as far as they are exact.

mod alphabet;
mod automaton;
mod budget;
mod formats;
mod search;

pub(crate) use automaton::Automaton;
pub(crate) use budget::Budget;
pub(crate) use formats::{Bounds, bounds};
pub(crate) use search::{Condition, Query, SearchResult};

use crate::schema::pattern::{self, Translated};

/// The texts that match a pattern: automata that must match, or must not.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) parts: Vec<(Automaton, bool)>,
}

impl Language {
    /// Returns the language of a pattern of ECMA-262; `None` if the pattern has no automaton.
    pub(crate) fn of_pattern(written: &str) -> Option<Self> {
        match pattern::translate(written)? {
            Translated::Plain(translated) => Self::of_regex(&translated),
            Translated::Backtracking(_) => Self::with_lookahead(written),
        }
    }

    /// Returns the language of an expression of the `regex` crate.
    pub(crate) fn of_regex(expression: &str) -> Option<Self> {
        Some(Self { parts: vec![(Automaton::new(expression)?, true)] })
    }

    /// Handles patterns with lookaheads only at the beginning: `^(?!a)(?=b)c` begins with `c` and `b`, and not with `a`.
    fn with_lookahead(written: &str) -> Option<Self> {
        let mut rest = written.strip_prefix('^')?;
        let mut parts = Vec::new();
        let mut part = |pattern: &str, holds: bool| {
            let Translated::Plain(translated) = pattern::translate(&format!("^(?:{pattern})"))? else { return None };
            parts.push((Automaton::new(&translated)?, holds));
            Some(())
        };
        while let Some((looked, holds)) = rest
            .strip_prefix("(?=")
            .map(|inside| (inside, true))
            .or_else(|| rest.strip_prefix("(?!").map(|inside| (inside, false)))
        {
            let end = pattern::group_end(looked)?;
            part(looked.get(..end)?, holds)?;
            rest = looked.get(end + 1..)?;
            if rest.starts_with(['*', '+', '?', '{']) {
                return None;
            }
        }
        if pattern::has_alternatives(rest) {
            return None;
        }
        part(rest, true)?;
        Some(Self { parts })
    }
}
