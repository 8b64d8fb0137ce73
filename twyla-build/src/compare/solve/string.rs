//! Searches for a string that satisfies assumptions about its length, the patterns and formats that it matches or doesn't
//! match, and the sets that contain or exclude it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Answer, CHARACTERS, Obstacle, Solver};
use crate::compare::formula::{Atom, Formula, Formulas, Index, Lit, Name};
use crate::compare::language::{Bounds, Condition, Language, Query, SearchResult, bounds};
use crate::compare::tables::Tables;
use crate::schema::format;

/// The maximum length of a created text, in characters.
const LONGEST: u64 = 1 << 20;
/// The maximum number of texts to try if the automata aren't exact.
const TRIED: usize = 48;

/// The assumptions about a string.
#[derive(Clone, Debug, Default)]
pub(in crate::compare) struct Texts {
    min: u64,
    max: Option<u64>,
    /// Patterns that the string matches.
    patterns: BTreeSet<Index>,
    formats: BTreeSet<Index>,
    /// Patterns that the string doesn't match.
    not_patterns: BTreeSet<Index>,
    not_formats: BTreeSet<Index>,
    among: Option<BTreeSet<Name>>,
    not: BTreeSet<Name>,
}

/// Whether a text satisfies all rules, or why that is unknown.
type TextFits = Result<bool, Obstacle>;

impl Texts {
    /// Returns the assumptions that the atoms make; `None` if they contradict each other.
    pub(super) fn new(formulas: &Formulas, atoms: &BTreeSet<Lit>) -> Option<Self> {
        let mut texts = Self::default();
        for lit in atoms {
            if let Formula::Atom(atom) = formulas.get(*lit) {
                texts.add(atom, lit.is_negated())?;
            }
        }
        Some(texts)
    }

    fn add(&mut self, atom: &Atom, negated: bool) -> Option<()> {
        match (atom, negated) {
            (Atom::MinLength(limit), false) => self.min = self.min.max(*limit),
            (Atom::MaxLength(limit), true) => self.min = self.min.max(limit.checked_add(1)?),
            (Atom::MaxLength(limit), false) => self.max = Some(self.max.map_or(*limit, |max| max.min(*limit))),
            (Atom::MinLength(limit), true) => {
                let most = limit.checked_sub(1)?;
                self.max = Some(self.max.map_or(most, |max| max.min(most)));
            }
            (Atom::Pattern(index), false) => drop(self.patterns.insert(*index)),
            (Atom::Pattern(index), true) => drop(self.not_patterns.insert(*index)),
            (Atom::Format(index), false) => drop(self.formats.insert(*index)),
            (Atom::Format(index), true) => drop(self.not_formats.insert(*index)),
            (Atom::StringIn(set), false) => {
                let set: BTreeSet<Name> = set.iter().cloned().collect();
                self.among = Some(match self.among.take() {
                    Some(known) => known.intersection(&set).cloned().collect(),
                    None => set,
                });
            }
            (Atom::StringIn(set), true) => self.not.extend(set.iter().cloned()),
            _ => {}
        }
        let crossed = self.max.is_some_and(|max| max < self.min)
            || !self.patterns.is_disjoint(&self.not_patterns)
            || !self.formats.is_disjoint(&self.not_formats);
        (!crossed).then_some(())
    }

    fn is_of_length(&self, text: &str) -> bool {
        let count = text.chars().count() as u64;
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }

    /// Returns whether the rules are only about lengths and sets.
    fn is_plain(&self) -> bool {
        [&self.patterns, &self.not_patterns, &self.formats, &self.not_formats].iter().all(|set| set.is_empty())
    }

    fn fits(&self, tables: &Tables, text: &str) -> TextFits {
        if !self.is_of_length(text)
            || self.not.contains(text)
            || self.among.as_ref().is_some_and(|among| !among.contains(text))
        {
            return Ok(false);
        }
        for (patterns, wanted) in [(&self.patterns, true), (&self.not_patterns, false)] {
            for pattern in patterns {
                if tables.matches(*pattern, text).ok_or(Obstacle::Pattern(*pattern))? != wanted {
                    return Ok(false);
                }
            }
        }
        for (formats, wanted) in [(&self.formats, true), (&self.not_formats, false)] {
            for index in formats {
                let format = tables.get_format(*index).ok_or(Obstacle::Format(*index))?;
                if format::holds(format.variant, text).ok_or(Obstacle::Format(*index))? != wanted {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Returns the first text that fits. If none fits, the answer is `Unknown` if one of the texts can't be decided,
    /// otherwise `Nothing`.
    fn first_of<'t>(&self, tables: &Tables, texts: impl IntoIterator<Item = &'t str>) -> Answer {
        let mut unknown = None;
        for text in texts {
            match self.fits(tables, text) {
                Ok(true) => return Answer::value(text),
                Ok(false) => {}
                Err(reason) => unknown = unknown.or(Some(reason)),
            }
        }
        unknown.map_or(Answer::Nothing, Answer::Unknown)
    }

    /// Returns the shortest text if the rules are only about lengths and sets.
    fn plain(&self) -> Answer {
        let (max, mut length) = (self.max.unwrap_or(u64::MAX), self.min);
        while length <= max {
            if length > LONGEST {
                return Answer::Unknown(Obstacle::Size);
            }
            let base = "a".repeat(usize::try_from(length).unwrap_or(usize::MAX));
            if !self.not.contains(base.as_str()) {
                return Answer::value(base);
            }
            let rest = base.get(1..).unwrap_or_default();
            let others = ('b'..='z').chain('0'..='9').chain('A'..='Z').chain(' '..='~').chain('\u{A1}'..='\u{FFFF}');
            if length > 0 {
                for text in others.map(|c| format!("{rest}{c}")) {
                    if !self.not.contains(text.as_str()) {
                        return Answer::value(text);
                    }
                }
                return Answer::Unknown(Obstacle::Size);
            }
            length += 1;
        }
        Answer::Nothing
    }
}

impl Solver<'_> {
    /// Returns whether an atom holds for all strings that satisfy the assumptions (true) or for none of them (false);
    /// `None` if unknown.
    pub(super) fn tell_text(&mut self, texts: &Texts, atom: &Atom) -> Option<bool> {
        let mut found = [true, true];
        for (negated, empty) in [true, false].into_iter().zip(&mut found) {
            let mut more = texts.clone();
            if more.add(atom, negated).is_none() {
                continue;
            }
            *empty = match &more.among {
                Some(among) => more.first_of(self.tables, among.iter().map(|name| &**name)).is_nothing(),
                None => more.is_plain() && self.take(more.min.min(LONGEST) / CHARACTERS) && more.plain().is_nothing(),
            };
        }
        match found {
            [true, _] => Some(true),
            [_, true] => Some(false),
            _ => None,
        }
    }

    /// Searches for a string.
    pub(super) fn find_text(&mut self, texts: &Texts) -> Answer {
        let tables = self.tables;
        if let Some(among) = &texts.among {
            return texts.first_of(tables, among.iter().map(|name| &**name));
        }
        if texts.is_plain() {
            return match self.take(texts.min.min(LONGEST) / CHARACTERS) {
                true => texts.plain(),
                false => Answer::Unknown(Obstacle::Steps),
            };
        }
        let known: Vec<(Index, &str, Bounds)> = texts
            .formats
            .iter()
            .filter_map(|index| {
                tables.get_format(*index).map(|format| (*index, format.variant, bounds(format.variant)))
            })
            .collect();
        let not: Vec<(Index, &str, Bounds)> = texts
            .not_formats
            .iter()
            .filter_map(|index| {
                tables.get_format(*index).map(|format| (*index, format.variant, bounds(format.variant)))
            })
            .collect();
        if known.iter().any(|(.., bounds)| not.iter().any(|(_, variant, _)| bounds.within.contains(variant))) {
            return Answer::Nothing;
        }
        let samples = known.iter().flat_map(|(.., bounds)| bounds.samples.iter().copied());
        if let found @ Answer::Value(_) = texts.first_of(tables, samples) {
            return found;
        }
        // the result of an inexact automaton must be checked
        let mut vague = None;
        let mut languages: Vec<(Arc<Language>, bool)> = Vec::new();
        for ((index, _, bounds), holds) in known.iter().map(|one| (one, true)).chain(not.iter().map(|one| (one, false)))
        {
            if bounds.outer.is_none() || bounds.outer != bounds.inner {
                vague = vague.or(Some(Obstacle::Format(*index)));
            }
            let expression = if holds { bounds.outer } else { bounds.inner };
            languages.extend(expression.and_then(Language::of_regex).map(|language| (language, holds)));
        }
        let mut conditions: Vec<Condition<'_>> =
            languages.iter().map(|(language, holds)| Condition { parts: parts(language), holds: *holds }).collect();
        for (patterns, holds) in [(&texts.patterns, true), (&texts.not_patterns, false)] {
            for index in patterns {
                match tables.get_pattern(*index).and_then(|pattern| pattern.language()) {
                    Some(language) => conditions.push(Condition { parts: parts(language), holds }),
                    None => vague = vague.or(Some(Obstacle::Pattern(*index))),
                }
            }
        }
        let mut query = Query { conditions, min: texts.min, max: texts.max, not: BTreeSet::new() };
        let mut tried: Vec<Name> = Vec::new();
        loop {
            query.not = texts.not.iter().chain(&tried).cloned().collect();
            let text = match query.run(&mut self.budget) {
                SearchResult::Nothing => {
                    // all candidates were tried
                    let open = tried.iter().any(|text| texts.fits(tables, text).is_err());
                    return if open { Answer::Unknown(vague.unwrap_or(Obstacle::Size)) } else { Answer::Nothing };
                }
                SearchResult::OutOfSteps => return Answer::Unknown(Obstacle::Steps),
                SearchResult::Text(text) => text,
            };
            if vague.is_none() || texts.fits(tables, &text) == Ok(true) {
                return Answer::value(text);
            }
            tried.push(text.into());
            if tried.len() > TRIED {
                return Answer::Unknown(vague.unwrap_or(Obstacle::Size));
            }
        }
    }
}

fn parts(language: &Language) -> Vec<(&crate::compare::language::Automaton, bool)> {
    language.parts.iter().map(|(automaton, holds)| (automaton, *holds)).collect()
}
