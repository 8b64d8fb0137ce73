//! Tables of the patterns, formats and opaque keywords that formulas refer to by index. Both sides of a pair share
//! them, so that equal entries have equal indexes.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::formula::Index;
use super::language::Language;
use super::verdict::Why;
use crate::schema::evaluate::Matcher;
use crate::schema::path::SchemaPath;

/// A pattern, with its matcher and its language.
#[derive(Debug)]
pub(crate) struct PatternEntry {
    pub(crate) written: String,
    /// The first place of the pattern.
    pub(crate) path: SchemaPath,
    matcher: OnceCell<Arc<Matcher>>,
    language: OnceCell<Option<Arc<Language>>>,
}

impl PatternEntry {
    pub(crate) fn matches(&self, text: &str) -> Option<bool> {
        self.matcher.get_or_init(|| Matcher::shared(&self.written)).is_match(text)
    }

    /// Returns the language of the pattern; `None` if it has no automaton.
    pub(crate) fn language(&self) -> Option<&Language> {
        self.language.get_or_init(|| Language::of_pattern(&self.written)).as_deref()
    }
}

/// A format that is a rule.
#[derive(Debug)]
pub(crate) struct Format {
    /// The name of the format's variant in the runtime.
    pub(crate) variant: &'static str,
    pub(crate) name: String,
    /// The first place of the format.
    pub(crate) path: SchemaPath,
}

/// A keyword whose effect can't be decided.
#[derive(Clone, Debug)]
pub(crate) struct Opaque {
    pub(crate) keyword: String,
    pub(crate) path: SchemaPath,
    pub(crate) reason: String,
    /// Two keywords with equal identities have the same effect.
    pub(crate) identity: String,
}

impl From<&Opaque> for Why {
    fn from(opaque: &Opaque) -> Self {
        Self { keyword: opaque.keyword.clone(), path: opaque.path.clone(), reason: opaque.reason.clone() }
    }
}

/// The tables of patterns, formats and opaque keywords.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    patterns: Vec<PatternEntry>,
    formats: Vec<Format>,
    opaque: Vec<Opaque>,
    known_patterns: HashMap<String, Index>,
    known_formats: HashMap<&'static str, Index>,
    known_opaque: HashMap<String, Index>,
    sides: usize,
}

fn next(length: usize) -> Index {
    Index::try_from(length).unwrap_or(Index::MAX)
}

impl Tables {
    pub(crate) fn pattern(&mut self, written: &str, path: impl FnOnce() -> SchemaPath) -> Index {
        if let Some(known) = self.known_patterns.get(written) {
            return *known;
        }
        let index = next(self.patterns.len());
        self.known_patterns.insert(written.to_owned(), index);
        let (matcher, language) = (OnceCell::new(), OnceCell::new());
        self.patterns.push(PatternEntry { written: written.to_owned(), path: path(), matcher, language });
        index
    }

    pub(crate) fn format(&mut self, variant: &'static str, name: &str, path: impl FnOnce() -> SchemaPath) -> Index {
        if let Some(known) = self.known_formats.get(variant) {
            return *known;
        }
        let index = next(self.formats.len());
        self.known_formats.insert(variant, index);
        self.formats.push(Format { variant, name: name.to_owned(), path: path() });
        index
    }

    pub(crate) fn opaque(&mut self, opaque: Opaque) -> Index {
        if let Some(known) = self.known_opaque.get(&opaque.identity) {
            return *known;
        }
        let index = next(self.opaque.len());
        self.known_opaque.insert(opaque.identity.clone(), index);
        self.opaque.push(opaque);
        index
    }

    /// Returns the number of the next side that shares the tables.
    pub(crate) fn side(&mut self) -> usize {
        self.sides += 1;
        self.sides
    }

    pub(crate) fn get_pattern(&self, index: Index) -> Option<&PatternEntry> {
        self.patterns.get(index as usize)
    }

    pub(crate) fn get_format(&self, index: Index) -> Option<&Format> {
        self.formats.get(index as usize)
    }

    pub(crate) fn get_opaque(&self, index: Index) -> Option<&Opaque> {
        self.opaque.get(index as usize)
    }

    /// Returns whether a text matches a pattern; `None` if unknown.
    pub(crate) fn matches(&self, pattern: Index, text: &str) -> Option<bool> {
        self.get_pattern(pattern)?.matches(text)
    }
}
