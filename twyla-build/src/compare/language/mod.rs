//! Sets of texts as automata: which texts have a match of a pattern, and the shortest one that has it and breaks another.
//!
//! `automaton` is one pattern's, over characters; `alphabet` tells apart only as many characters as some automata do; `search`
//! walks through several of them at once; `formats` has those of formats, as near as they can be told.

mod alphabet;
mod automaton;
mod formats;
mod search;

pub(crate) use automaton::Automaton;
pub(crate) use formats::{Bounds, bounds};
pub(crate) use search::{Condition, Found, Query};

use crate::schema::pattern::{self, Translated};

/// The texts that have a match of a pattern: those that each automaton finds one in, or finds none.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) parts: Vec<(Automaton, bool)>,
}

impl Language {
    /// That of a pattern of ECMA-262; none where no automaton can tell.
    pub(crate) fn of_pattern(written: &str) -> Option<Self> {
        match pattern::translate(written)? {
            Translated::Plain(translated) => Self::of_regex(&translated),
            Translated::Backtracking(_) => Self::with_lookahead(written),
        }
    }

    /// That of an expression of the `regex` crate.
    pub(crate) fn of_regex(expression: &str) -> Option<Self> {
        Some(Self { parts: vec![(Automaton::new(expression)?, true)] })
    }

    /// Patterns that look ahead only where they begin: `^(?!a)(?=b)c` is what begins with `c` and `b`, and not with `a`.
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
