//! Sets of texts as automata: which texts match a pattern, and the shortest one that matches some patterns and not others.
//!
//! `automaton` is the automaton of one pattern; `alphabet` has one character for each class that the automata distinguish;
//! `search` runs several automata at once within a `budget`; `formats` has the languages of formats, as far as they are exact.

mod alphabet;
mod automaton;
mod budget;
mod formats;
mod search;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

pub(crate) use automaton::Automaton;
pub(crate) use budget::Budget;
pub(crate) use formats::{Bounds, bounds};
pub(crate) use search::{Condition, Query, SearchResult};

use crate::schema::pattern::{self, Translated};

/// The syntax of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Syntax {
    /// ECMA-262.
    Pattern,
    /// The `regex` crate.
    Regex,
}

/// The maximum number of cached languages, and the maximum size of each: its states and ranges of characters.
const KEPT: usize = 1_000;
const KEPT_SIZE: usize = 1_000;

/// The cached languages of all comparisons, by expression; `None` for an expression that has no automaton.
type Languages = HashMap<(Syntax, String), Option<Arc<Language>>>;

static LANGUAGES: LazyLock<Mutex<Languages>> = LazyLock::new(Mutex::default);

/// Returns the language of an expression from the cache, or calls `make` for it.
fn shared(syntax: Syntax, expression: &str, make: impl FnOnce() -> Option<Language>) -> Option<Arc<Language>> {
    let languages = || LANGUAGES.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (syntax, expression.to_owned());
    if let Some(known) = languages().get(&key) {
        return known.clone();
    }
    let language = make().map(Arc::new);
    let automata = language.iter().flat_map(|language| &language.parts);
    if automata.map(|(automaton, _)| automaton.size()).sum::<usize>() <= KEPT_SIZE {
        let mut languages = languages();
        if languages.len() >= KEPT {
            languages.clear();
        }
        languages.insert(key, language.clone());
    }
    language
}

/// The texts that match a pattern: automata that must match, or must not.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) parts: Vec<(Automaton, bool)>,
}

impl Language {
    /// Returns the language of a pattern of ECMA-262; `None` if the pattern has no automaton.
    pub(crate) fn of_pattern(written: &str) -> Option<Arc<Self>> {
        shared(Syntax::Pattern, written, || Self::made_of_pattern(written))
    }

    /// Returns the language of an expression of the `regex` crate.
    pub(crate) fn of_regex(expression: &str) -> Option<Arc<Self>> {
        shared(Syntax::Regex, expression, || Self::made_of_regex(expression))
    }

    fn made_of_pattern(written: &str) -> Option<Self> {
        match pattern::translate(written)? {
            Translated::Plain(translated) => Self::made_of_regex(&translated),
            Translated::Backtracking(_) => Self::with_lookahead(written),
        }
    }

    fn made_of_regex(expression: &str) -> Option<Self> {
        Some(Self { parts: vec![(Automaton::new(expression)?, true)] })
    }

    /// Handles patterns whose lookaheads are all at the beginning: a text matches `^(?!a)(?=b)c` if it begins with `c`
    /// and with `b`, but not with `a`.
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
