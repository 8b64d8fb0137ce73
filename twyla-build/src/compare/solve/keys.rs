//! The names that members may have: those that are spoken of each by itself, and all others by the patterns they match.

use std::collections::BTreeSet;

use serde_json::Value;

use super::members::{Keys, Members};
use super::{Answer, Solver};
use crate::compare::formula::{Atom, Index, Kind, Kinds, Lit, Name};

/// Kinds of names that are told apart.
const MOST_CLASSES: usize = 2_000;

/// A kind of names that nothing speaks of by themselves: what holds of such a name, and of its member.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) name: Vec<Lit>,
    pub(super) value: Vec<Lit>,
}

impl Solver<'_> {
    /// Whether a member of that name may be there, as far as its name goes.
    pub(super) fn allows_name(&mut self, members: &Members, name: &str) -> Answer {
        if members.names.is_empty() {
            return Answer::value(name);
        }
        let word = self.word(name);
        let string = self.formulas.kinds(Kinds::of(Kind::String));
        self.satisfy(members.names.iter().copied().chain([word, string]))
    }

    /// What holds of the member of that name.
    pub(super) fn member_state(&self, members: &Members, name: &str) -> Vec<Lit> {
        let mut state = members.by_name.get(name).cloned().unwrap_or_default();
        for (pattern, lit) in &members.matching {
            // where nobody knows whether it matches, nothing is taken for granted
            if self.tables.matches(*pattern, name) == Some(true) {
                state.push(*lit);
            }
        }
        for (names, patterns, lit) in &members.others {
            let named = names.binary_search_by(|known| (**known).cmp(name)).is_ok();
            if !named && patterns.iter().all(|pattern| self.tables.matches(*pattern, name) == Some(false)) {
                state.push(*lit);
            }
        }
        state
    }

    /// Whether a name is one of some; none where nobody knows.
    pub(super) fn is_among(&mut self, keys: &Keys, name: &str) -> Option<bool> {
        match keys {
            Keys::Matching(pattern) => self.tables.matches(*pattern, name),
            Keys::Others(names, patterns) => {
                if names.binary_search_by(|known| (**known).cmp(name)).is_ok() {
                    return Some(false);
                }
                let mut all = Some(true);
                for pattern in patterns.iter() {
                    match self.tables.matches(*pattern, name) {
                        Some(true) => return Some(false),
                        Some(false) => {}
                        None => all = None,
                    }
                }
                all
            }
            Keys::Named(lit) => {
                let word = self.word(name);
                let string = self.formulas.kinds(Kinds::of(Kind::String));
                match self.satisfy([*lit, word, string]) {
                    Answer::Value(_) => Some(true),
                    Answer::Nothing => Some(false),
                    Answer::Unknown(_) => None,
                }
            }
        }
    }

    /// Gives the kinds of names that nothing speaks of by themselves, of which there are some; of those that are asked for,
    /// where some are; until one is taken. True if one was. The members of each are held to what is told of them, which may
    /// be nothing.
    pub(super) fn each_class(
        &mut self,
        members: &Members,
        keys: Option<&Keys>,
        taken: &BTreeSet<Name>,
        take: &mut dyn FnMut(&mut Self, Class) -> bool,
    ) -> bool {
        let mut patterns: BTreeSet<Index> = members.matching.iter().map(|(pattern, _)| *pattern).collect();
        patterns.extend(members.others.iter().flat_map(|(_, patterns, _)| patterns.iter()));
        let mut told: Vec<(Index, bool)> = Vec::new();
        let mut name = members.names.clone();
        name.push(self.formulas.kinds(Kinds::of(Kind::String)));
        if !taken.is_empty() {
            let taken: Vec<Name> = taken.iter().cloned().collect();
            let taken = self.formulas.atom(Atom::StringIn(taken.into()));
            name.push(!taken);
        }
        match keys {
            Some(Keys::Matching(pattern)) => told.push((*pattern, true)),
            Some(Keys::Others(_, not)) => told.extend(not.iter().map(|pattern| (*pattern, false))),
            Some(Keys::Named(lit)) => name.push(*lit),
            None => {}
        }
        for (pattern, holds) in &told {
            let lit = self.formulas.atom(Atom::Pattern(*pattern));
            name.push(if *holds { lit } else { !lit });
            patterns.remove(pattern);
        }
        let patterns: Vec<Index> = patterns.into_iter().collect();
        let mut left = MOST_CLASSES;
        self.part(members, &patterns, &mut name, &mut told, &mut left, take)
    }

    /// Parts names by whether they match a pattern, and those by the next one.
    fn part(
        &mut self,
        members: &Members,
        patterns: &[Index],
        name: &mut Vec<Lit>,
        told: &mut Vec<(Index, bool)>,
        left: &mut usize,
        take: &mut dyn FnMut(&mut Self, Class) -> bool,
    ) -> bool {
        if self.satisfy(name.iter().copied()).is_nothing() {
            return false;
        }
        if let Some((pattern, others)) = patterns.split_first()
            && *left > 0
            && self.steps > 0
        {
            let lit = self.formulas.atom(Atom::Pattern(*pattern));
            for holds in [false, true] {
                name.push(if holds { lit } else { !lit });
                told.push((*pattern, holds));
                let taken = self.part(members, others, name, told, left, take);
                name.pop();
                told.pop();
                if taken {
                    return true;
                }
            }
            return false;
        }
        // of those that weren't parted any more only what holds of all of them is told
        *left = left.saturating_sub(1);
        let is = |pattern: &Index, wanted: bool| told.contains(&(*pattern, wanted));
        let matching = members.matching.iter().filter(|(pattern, _)| is(pattern, true)).map(|(_, lit)| *lit);
        let others = members.others.iter().filter(|(_, patterns, _)| patterns.iter().all(|one| is(one, false)));
        let value = matching.chain(others.map(|(.., lit)| *lit)).collect();
        take(self, Class { name: name.clone(), value })
    }

    /// A name of a kind.
    pub(super) fn name_of(&mut self, class: &Class) -> Answer {
        self.satisfy(class.name.iter().copied())
    }
}

/// The text of a value that is one.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
