//! The names that members may have: each declared name, and all others by the patterns that they match.

use std::collections::BTreeSet;

use serde_json::Value;

use super::members::{Keys, MemberSearch};
use super::{Answer, Solver};
use crate::compare::formula::{Atom, Index, Lit, Name};
use crate::json_type::{JsonType, JsonTypes};

/// The maximum number of classes of names that are distinguished.
const MOST_CLASSES: usize = 2_000;

/// A class of undeclared names: the formulas that such a name must satisfy, and those that its member must satisfy.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) name: Vec<Lit>,
    pub(super) value: Vec<Lit>,
}

impl Solver<'_> {
    /// Searches for a member of this name by the formulas about names alone: the answer is a value if they allow the
    /// name.
    pub(super) fn allows_name(&mut self, members: &MemberSearch, name: &str) -> Answer {
        if members.names.is_empty() {
            return Answer::value(name);
        }
        let word = self.word(name);
        let string = self.formulas.types(JsonTypes::of(JsonType::String));
        self.satisfy(members.names.iter().copied().chain([word, string]))
    }

    /// Returns the formulas that the member of this name must satisfy.
    pub(super) fn member_state(&self, members: &MemberSearch, name: &str) -> Vec<Lit> {
        let mut state = members.by_name.get(name).cloned().unwrap_or_default();
        for (pattern, lit) in &members.matching {
            // if it is unknown whether the name matches, nothing is assumed
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

    /// Returns whether a name is among `keys`; `None` if unknown.
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
                let string = self.formulas.types(JsonTypes::of(JsonType::String));
                match self.satisfy([*lit, word, string]) {
                    Answer::Value(_) => Some(true),
                    Answer::Nothing => Some(false),
                    Answer::Unknown(_) => None,
                }
            }
        }
    }

    /// Calls `take` with each class of undeclared names until it returns true. With `keys`, only the names among them
    /// are classified. Returns whether `take` returned true.
    pub(super) fn each_class(
        &mut self,
        members: &MemberSearch,
        keys: Option<&Keys>,
        taken: &BTreeSet<Name>,
        take: &mut dyn FnMut(&mut Self, Class) -> bool,
    ) -> bool {
        let mut patterns: BTreeSet<Index> = members.matching.iter().map(|(pattern, _)| *pattern).collect();
        patterns.extend(members.others.iter().flat_map(|(_, patterns, _)| patterns.iter()));
        let mut decided: Vec<(Index, bool)> = Vec::new();
        let mut name = members.names.clone();
        name.push(self.formulas.types(JsonTypes::of(JsonType::String)));
        if !taken.is_empty() {
            let taken: Vec<Name> = taken.iter().cloned().collect();
            let taken = self.formulas.atom(Atom::StringIn(taken.into()));
            name.push(!taken);
        }
        match keys {
            Some(Keys::Matching(pattern)) => decided.push((*pattern, true)),
            Some(Keys::Others(_, not)) => decided.extend(not.iter().map(|pattern| (*pattern, false))),
            Some(Keys::Named(lit)) => name.push(*lit),
            None => {}
        }
        for (pattern, holds) in &decided {
            let lit = self.formulas.atom(Atom::Pattern(*pattern));
            name.push(if *holds { lit } else { !lit });
            patterns.remove(pattern);
        }
        let patterns: Vec<Index> = patterns.into_iter().collect();
        let mut left = MOST_CLASSES;
        self.part(members, &patterns, &mut name, &mut decided, &mut left, take)
    }

    /// Splits names by whether they match a pattern, then by the next pattern.
    fn part(
        &mut self,
        members: &MemberSearch,
        patterns: &[Index],
        name: &mut Vec<Lit>,
        decided: &mut Vec<(Index, bool)>,
        left: &mut usize,
        take: &mut dyn FnMut(&mut Self, Class) -> bool,
    ) -> bool {
        if self.satisfy(name.iter().copied()).is_nothing() {
            return false;
        }
        if let Some((pattern, others)) = patterns.split_first()
            && *left > 0
            && self.budget.steps() > 0
        {
            let lit = self.formulas.atom(Atom::Pattern(*pattern));
            for holds in [false, true] {
                name.push(if holds { lit } else { !lit });
                decided.push((*pattern, holds));
                let taken = self.part(members, others, name, decided, left, take);
                name.pop();
                decided.pop();
                if taken {
                    return true;
                }
            }
            return false;
        }
        // names that aren't split further have only the formulas that are known to apply to all of them
        *left = left.saturating_sub(1);
        let is = |pattern: &Index, wanted: bool| decided.contains(&(*pattern, wanted));
        let matching = members.matching.iter().filter(|(pattern, _)| is(pattern, true)).map(|(_, lit)| *lit);
        let others = members.others.iter().filter(|(_, patterns, _)| patterns.iter().all(|one| is(one, false)));
        let value = matching.chain(others.map(|(.., lit)| *lit)).collect();
        take(self, Class { name: name.clone(), value })
    }

    /// Searches for a name of a class.
    pub(super) fn name_of(&mut self, class: &Class) -> Answer {
        self.satisfy(class.name.iter().copied())
    }
}

/// Returns the text of a string.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
