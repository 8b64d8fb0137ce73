//! Searches for an object that satisfies assumptions about its members: which are required, which formulas each must
//! satisfy, and how many there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::keys::text;
use super::members::{Keys, MemberSearch};
use super::{Answer, Obstacle, Solver};
use crate::compare::formula::{Atom, Lit, Name};

/// The maximum number of members that are added only to reach a size.
const MOST_ADDED: u64 = 256;

impl Solver<'_> {
    /// Returns whether a required member can't exist.
    pub(super) fn contradicts_members(&mut self, members: &MemberSearch) -> bool {
        members.required.iter().any(|name| self.is_impossible(members, name, None))
    }

    /// Returns whether no member of this name can exist, or with a literal, whether none can satisfy it.
    fn is_impossible(&mut self, members: &MemberSearch, name: &str, lit: Option<Lit>) -> bool {
        let mut state = self.member_state(members, name);
        state.extend(lit);
        self.satisfy(state).is_nothing() || self.allows_name(members, name).is_nothing()
    }

    /// Returns whether an atom holds for all objects that satisfy the assumptions (true) or for none of them (false);
    /// `None` if unknown.
    pub(super) fn tell_members(&mut self, members: &MemberSearch, atom: &Atom) -> Option<bool> {
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

    /// Returns whether all members among `keys` satisfy a literal (true), or a required one can't (false); `None` if
    /// unknown.
    fn tell_some(&mut self, members: &MemberSearch, keys: &Keys, lit: Lit) -> Option<bool> {
        let required: Vec<Name> = members.required.iter().cloned().collect();
        for name in required {
            if self.is_among(keys, &name) == Some(true) && self.is_impossible(members, &name, Some(lit)) {
                return Some(false);
            }
        }
        self.has_no(members, keys, !lit).then_some(true)
    }

    /// Returns whether no member among `keys` can satisfy a literal.
    fn has_no(&mut self, members: &MemberSearch, keys: &Keys, lit: Lit) -> bool {
        let mut mentioned = members.mentioned();
        if let Keys::Others(names, _) = keys {
            mentioned.extend(names.iter().cloned());
        }
        for name in &mentioned {
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
        !self.each_class(members, Some(keys), &mentioned, &mut |solver, class| {
            !solver.satisfy(class.value.into_iter().chain([lit])).is_nothing()
        })
    }

    /// Searches for an object.
    pub(super) fn find_members(&mut self, members: &MemberSearch) -> Answer {
        let mut chosen: BTreeMap<Name, Vec<Lit>> = BTreeMap::new();
        for name in &members.required {
            chosen.insert(name.clone(), self.member_state(members, name));
            if self.allows_name(members, name).is_nothing() {
                return Answer::Nothing;
            }
        }
        let mut unknown = None;
        let mentioned = members.mentioned();
        if let Some(value) = self.assign(members, &mentioned, &members.some, chosen, &mut unknown) {
            return value;
        }
        unknown.map_or(Answer::Nothing, Answer::Unknown)
    }

    /// Assigns a member to each demand, and tries every possible way until an object is found.
    fn assign(
        &mut self,
        members: &MemberSearch,
        mentioned: &BTreeSet<Name>,
        demands: &[(Keys, Lit)],
        chosen: BTreeMap<Name, Vec<Lit>>,
        unknown: &mut Option<Obstacle>,
    ) -> Option<Answer> {
        if !self.step() {
            *unknown = Some(Obstacle::Steps);
            return None;
        }
        if members.max.is_some_and(|max| chosen.len() as u64 > max) {
            return None;
        }
        let Some(((keys, lit), rest)) = demands.split_first() else {
            return self.fill(members, mentioned, chosen, unknown);
        };
        // chosen members first, then other declared ones
        let names: BTreeSet<Name> = chosen.keys().chain(mentioned).cloned().collect();
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
            if let Some(found) = self.assign(members, mentioned, rest, next, unknown) {
                return Some(found);
            }
        }
        let taken: BTreeSet<Name> = mentioned.iter().chain(chosen.keys()).cloned().collect();
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
                    found = solver.assign(members, mentioned, rest, next, unknown);
                }
            }
            found.is_some()
        });
        found
    }

    /// Adds members until the minimum size is reached, and creates their values.
    fn fill(
        &mut self,
        members: &MemberSearch,
        mentioned: &BTreeSet<Name>,
        mut chosen: BTreeMap<Name, Vec<Lit>>,
        unknown: &mut Option<Obstacle>,
    ) -> Option<Answer> {
        let lacks = |chosen: &BTreeMap<Name, Vec<Lit>>| members.min.saturating_sub(chosen.len() as u64);
        if lacks(&chosen) > MOST_ADDED {
            *unknown = unknown.or(Some(Obstacle::Size));
            return None;
        }
        for name in mentioned {
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
            let taken: BTreeSet<Name> = mentioned.iter().chain(chosen.keys()).cloned().collect();
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
                        *unknown = Some(Obstacle::Steps);
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

/// Returns why it is unknown whether a name is among some keys.
fn reason(keys: &Keys) -> Obstacle {
    match keys {
        Keys::Matching(pattern) => Obstacle::Pattern(*pattern),
        Keys::Others(_, patterns) => patterns.first().map_or(Obstacle::Size, |pattern| Obstacle::Pattern(*pattern)),
        Keys::Named(_) => Obstacle::Size,
    }
}
