//! Objects: which members must be there, what holds of each, and how many there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::keys::text;
use super::members::{Keys, Members};
use super::{Answer, Reason, Solver};
use crate::compare::formula::{Atom, Lit, Name};

/// How many members are added only because so many are needed.
const MOST_ADDED: u64 = 256;

impl Solver<'_> {
    /// Whether a member that must be there can't be.
    pub(super) fn contradicts_members(&mut self, members: &Members) -> bool {
        members.required.iter().any(|name| self.is_impossible(members, name, None))
    }

    /// Whether there can be no member of that name of which a literal holds, too.
    fn is_impossible(&mut self, members: &Members, name: &str, lit: Option<Lit>) -> bool {
        let mut state = self.member_state(members, name);
        state.extend(lit);
        self.satisfy(state).is_nothing() || self.allows_name(members, name).is_nothing()
    }

    /// Whether an atom holds of every such object, or of none; none where that isn't sure.
    pub(super) fn tell_members(&mut self, members: &Members, atom: &Atom) -> Option<bool> {
        match atom {
            Atom::Required(name) => {
                if members.required.contains(name) {
                    return Some(true);
                }
                let absent =
                    members.absent.contains(name) || members.is_full() || self.is_impossible(members, name, None);
                absent.then_some(false)
            }
            Atom::Member { name, lit } => {
                let there = members.required.contains(name);
                if members.absent.contains(name) || !there && members.is_full() {
                    return Some(true);
                }
                if self.is_impossible(members, name, Some(!*lit)) {
                    return Some(true);
                }
                (there && self.is_impossible(members, name, Some(*lit))).then_some(false)
            }
            Atom::Matching { pattern, lit } => self.tell_some(members, &Keys::Matching(*pattern), *lit),
            Atom::Others { names, patterns, lit } => {
                self.tell_some(members, &Keys::Others(names.clone(), patterns.clone()), *lit)
            }
            Atom::Names(lit) => {
                let broken = members.required.iter().cloned().collect::<Vec<_>>();
                let broken = broken.iter().any(|name| self.is_among(&Keys::Named(*lit), name) == Some(false));
                if broken {
                    return Some(false);
                }
                self.has_no(members, &Keys::Named(!*lit), Lit::TRUE).then_some(true)
            }
            Atom::MinMembers(limit) => {
                if members.min.max(members.required.len() as u64) >= *limit {
                    return Some(true);
                }
                members.max.is_some_and(|max| max < *limit).then_some(false)
            }
            Atom::MaxMembers(limit) => {
                if members.max.is_some_and(|max| max <= *limit) {
                    return Some(true);
                }
                (members.min.max(members.required.len() as u64) > *limit).then_some(false)
            }
            _ => None,
        }
    }

    /// The same for what holds of all members of some names.
    fn tell_some(&mut self, members: &Members, keys: &Keys, lit: Lit) -> Option<bool> {
        let required: Vec<Name> = members.required.iter().cloned().collect();
        for name in required {
            if self.is_among(keys, &name) == Some(true) && self.is_impossible(members, &name, Some(lit)) {
                return Some(false);
            }
        }
        self.has_no(members, keys, !lit).then_some(true)
    }

    /// Whether there can be no member of these names of which a literal holds.
    fn has_no(&mut self, members: &Members, keys: &Keys, lit: Lit) -> bool {
        let mut spoken_of = members.spoken_of();
        if let Keys::Others(names, _) = keys {
            spoken_of.extend(names.iter().cloned());
        }
        for name in &spoken_of {
            let there = members.required.contains(name);
            if members.absent.contains(name) || !there && members.is_full() || self.is_among(keys, name) == Some(false)
            {
                continue;
            }
            if !self.is_impossible(members, name, Some(lit)) {
                return false;
            }
        }
        if members.is_full() {
            return true;
        }
        !self.each_class(members, Some(keys), &spoken_of, &mut |solver, class| {
            !solver.satisfy(class.value.into_iter().chain([lit])).is_nothing()
        })
    }

    /// An object that fits.
    pub(super) fn find_members(&mut self, members: &Members) -> Answer {
        let mut chosen: BTreeMap<Name, Vec<Lit>> = BTreeMap::new();
        for name in &members.required {
            chosen.insert(name.clone(), self.member_state(members, name));
            if self.allows_name(members, name).is_nothing() {
                return Answer::Nothing;
            }
        }
        let mut unknown = None;
        let spoken_of = members.spoken_of();
        if let Some(value) = self.assign(members, &spoken_of, &members.some, chosen, &mut unknown) {
            return value;
        }
        unknown.map_or(Answer::Nothing, Answer::Unknown)
    }

    /// Gives each demand a member of which it holds, in every way there is.
    fn assign(
        &mut self,
        members: &Members,
        spoken_of: &BTreeSet<Name>,
        demands: &[(Keys, Lit)],
        chosen: BTreeMap<Name, Vec<Lit>>,
        unknown: &mut Option<Reason>,
    ) -> Option<Answer> {
        if !self.step() {
            *unknown = Some(Reason::Steps);
            return None;
        }
        if members.max.is_some_and(|max| chosen.len() as u64 > max) {
            return None;
        }
        let Some(((keys, lit), rest)) = demands.split_first() else {
            return self.fill(members, spoken_of, chosen, unknown);
        };
        // those that are there already, then others that are spoken of
        let names: BTreeSet<Name> = chosen.keys().chain(spoken_of).cloned().collect();
        let (there, others): (Vec<Name>, Vec<Name>) = names.into_iter().partition(|name| chosen.contains_key(name));
        for name in there.into_iter().chain(others) {
            if members.absent.contains(&name) {
                continue;
            }
            match self.is_among(keys, &name) {
                Some(true) => {}
                Some(false) => continue,
                None => {
                    *unknown = unknown.or(Some(reason(keys)));
                    continue;
                }
            }
            let mut state = chosen.get(&name).cloned().unwrap_or_else(|| self.member_state(members, &name));
            state.push(*lit);
            let allowed = self.allows_name(members, &name);
            match (self.satisfy(state.iter().copied()), allowed) {
                (Answer::Nothing, _) | (_, Answer::Nothing) => continue,
                (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => {
                    *unknown = unknown.or(Some(reason));
                    continue;
                }
                _ => {}
            }
            let mut next = chosen.clone();
            next.insert(name, state);
            if let Some(found) = self.assign(members, spoken_of, rest, next, unknown) {
                return Some(found);
            }
        }
        let taken: BTreeSet<Name> = spoken_of.iter().chain(chosen.keys()).cloned().collect();
        let mut found = None;
        self.each_class(members, Some(keys), &taken, &mut |solver, class| {
            let mut state = class.value.clone();
            state.push(*lit);
            match (solver.satisfy(state.iter().copied()), solver.name_of(&class)) {
                (Answer::Nothing, _) | (_, Answer::Nothing) => {}
                (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => *unknown = unknown.or(Some(reason)),
                (Answer::Value(_), Answer::Value(name)) => {
                    let mut next = chosen.clone();
                    next.insert(solver.formulas.name(text(&name)), state);
                    found = solver.assign(members, spoken_of, rest, next, unknown);
                }
            }
            found.is_some()
        });
        found
    }

    /// Adds members until there are enough of them, and makes their values.
    fn fill(
        &mut self,
        members: &Members,
        spoken_of: &BTreeSet<Name>,
        mut chosen: BTreeMap<Name, Vec<Lit>>,
        unknown: &mut Option<Reason>,
    ) -> Option<Answer> {
        let lacks = |chosen: &BTreeMap<Name, Vec<Lit>>| members.min.saturating_sub(chosen.len() as u64);
        if lacks(&chosen) > MOST_ADDED {
            *unknown = unknown.or(Some(Reason::Size));
            return None;
        }
        for name in spoken_of {
            if lacks(&chosen) == 0 {
                break;
            }
            if members.absent.contains(name) || chosen.contains_key(name) {
                continue;
            }
            let state = self.member_state(members, name);
            match (self.satisfy(state.iter().copied()), self.allows_name(members, name)) {
                (Answer::Value(_), Answer::Value(_)) => drop(chosen.insert(name.clone(), state)),
                (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => *unknown = unknown.or(Some(reason)),
                _ => {}
            }
        }
        while lacks(&chosen) > 0 {
            let taken: BTreeSet<Name> = spoken_of.iter().chain(chosen.keys()).cloned().collect();
            let before = chosen.len();
            self.each_class(members, None, &taken, &mut |solver, class| {
                match (solver.satisfy(class.value.iter().copied()), solver.name_of(&class)) {
                    (Answer::Value(_), Answer::Value(name)) => {
                        chosen.insert(solver.formulas.name(text(&name)), class.value);
                        return true;
                    }
                    (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => *unknown = unknown.or(Some(reason)),
                    _ => {}
                }
                false
            });
            if chosen.len() == before {
                return None;
            }
        }
        let mut object = Map::new();
        for (name, state) in chosen {
            match self.satisfy(state) {
                Answer::Value(value) => match self.copy(&value) {
                    Some(value) => drop(object.insert(name.to_string(), value)),
                    None => {
                        *unknown = Some(Reason::Steps);
                        return None;
                    }
                },
                Answer::Nothing => return None,
                Answer::Unknown(reason) => {
                    *unknown = unknown.or(Some(reason));
                    return None;
                }
            }
        }
        Some(Answer::value(Value::Object(object)))
    }
}

/// Why nobody knows whether a name is one of some.
fn reason(keys: &Keys) -> Reason {
    match keys {
        Keys::Matching(pattern) => Reason::Pattern(*pattern),
        Keys::Others(_, patterns) => patterns.first().map_or(Reason::Size, |pattern| Reason::Pattern(*pattern)),
        Keys::Named(_) => Reason::Size,
    }
}
