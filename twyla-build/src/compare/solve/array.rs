//! Searches for an array that satisfies assumptions about its length, about each item by its index, and about how many
//! items satisfy a formula.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use serde_json::Value;

use super::{Answer, Obstacle, Solver};
use crate::compare::formula::{Atom, Formula, Formulas, Lit};
use crate::schema::evaluate::equal;

/// The maximum number of indexes to examine one by one, and the maximum length to try.
const MOST_PLACES: u64 = 2_000;
/// The maximum number of lengths to try above the minimum length.
const MOST_LENGTHS: u64 = 64;
/// The maximum number of counted formulas: each doubles the choices of an item.
const MOST_COUNTED: usize = 10;

/// A formula that `min` to `max` of the items from an index on satisfy.
#[derive(Clone, Copy, Debug)]
struct CountedFormula {
    lit: Lit,
    from: u64,
    min: u64,
    max: Option<u64>,
}

/// The assumptions about an array.
#[derive(Clone, Debug, Default)]
pub(in crate::compare) struct Items {
    min: u64,
    max: Option<u64>,
    unique: bool,
    /// Two items are equal.
    twice: bool,
    by_place: BTreeMap<u64, Vec<Lit>>,
    from: Vec<(u64, Lit)>,
    counted: Vec<CountedFormula>,
}

impl Items {
    /// Returns the assumptions that the atoms make; `None` if they contradict each other.
    pub(super) fn new(formulas: &Formulas, atoms: &BTreeSet<Lit>) -> Option<Self> {
        let mut items = Self::default();
        for lit in atoms {
            if let Formula::Atom(atom) = formulas.get(*lit) {
                items.add(atom, lit.is_negated())?;
            }
        }
        if items.twice {
            items.min = items.min.max(2);
        }
        let crossed = items.max.is_some_and(|max| max < items.min) || items.unique && items.twice;
        (!crossed).then_some(items)
    }

    fn add(&mut self, atom: &Atom, negated: bool) -> Option<()> {
        match (atom, negated) {
            (Atom::MinItems(limit), false) => self.min = self.min.max(*limit),
            (Atom::MaxItems(limit), true) => self.min = self.min.max(limit.checked_add(1)?),
            (Atom::MaxItems(limit), false) => self.lower(*limit),
            (Atom::MinItems(limit), true) => self.lower(limit.checked_sub(1)?),
            (Atom::Unique, false) => self.unique = true,
            (Atom::Unique, true) => self.twice = true,
            (Atom::Item { index, lit }, false) => self.by_place.entry(*index).or_default().push(*lit),
            (Atom::Item { index, lit }, true) => {
                self.min = self.min.max(index.checked_add(1)?);
                self.by_place.entry(*index).or_default().push(!*lit);
            }
            (Atom::Items { from, lit }, false) => self.from.push((*from, *lit)),
            (Atom::Items { from, lit }, true) => {
                self.min = self.min.max(from.checked_add(1)?);
                self.counted.push(CountedFormula { lit: !*lit, from: *from, min: 1, max: None });
            }
            (Atom::Count { lit, min, max }, false) => {
                self.min = self.min.max(*min);
                self.counted.push(CountedFormula { lit: *lit, from: 0, min: *min, max: *max });
            }
            // the two alternatives of the atom are distinguished when the atom is assumed
            _ => {}
        }
        Some(())
    }

    fn lower(&mut self, limit: u64) {
        self.max = Some(self.max.map_or(limit, |max| max.min(limit)));
    }

    /// Returns the first index from which on all items have the same rules.
    fn rest(&self) -> u64 {
        let named = self.by_place.keys().map(|place| place + 1);
        let from = self.from.iter().map(|(from, _)| *from).chain(self.counted.iter().map(|counted| counted.from));
        named.chain(from).max().unwrap_or(0)
    }

    /// Returns the formulas that the item at an index must satisfy.
    fn state(&self, place: u64) -> Vec<Lit> {
        let mut state = self.by_place.get(&place).cloned().unwrap_or_default();
        state.extend(self.from.iter().filter(|(from, _)| *from <= place).map(|(_, lit)| *lit));
        state
    }
}

/// An assignment of counted formulas to the items.
struct Search<'i> {
    items: &'i Items,
    length: u64,
    rest: u64,
    /// Two indexes whose items must be equal.
    same: Option<(u64, u64)>,
    /// Dead ends: the index and the remaining counts.
    failed: HashSet<(u64, Vec<u64>, Vec<Option<u64>>)>,
    states: Vec<Vec<Lit>>,
    /// The counted formulas of the first of two equal items, one bit for each.
    pattern: Option<usize>,
}

impl Solver<'_> {
    /// Returns whether a required item can't exist.
    pub(super) fn contradicts_items(&mut self, items: &Items) -> bool {
        let rest = items.rest();
        (0..items.min.min(rest + 1)).take(usize::try_from(MOST_PLACES).unwrap_or(0)).any(|place| {
            let state = items.state(place);
            self.satisfy(state).is_nothing()
        })
    }

    /// Returns whether an atom holds for all arrays that satisfy the assumptions (true) or for none of them (false);
    /// `None` if unknown.
    pub(super) fn tell_items(&mut self, items: &Items, atom: &Atom) -> Option<bool> {
        match atom {
            Atom::MinItems(limit) => {
                if items.min >= *limit {
                    return Some(true);
                }
                items.max.is_some_and(|max| max < *limit).then_some(false)
            }
            Atom::MaxItems(limit) => {
                if items.max.is_some_and(|max| max <= *limit) {
                    return Some(true);
                }
                (items.min > *limit).then_some(false)
            }
            Atom::Unique => {
                if items.unique || items.max.is_some_and(|max| max < 2) {
                    return Some(true);
                }
                items.twice.then_some(false)
            }
            Atom::Item { index, lit } => self.tell_place(items, *index, *lit),
            Atom::Items { from, lit } => {
                let last = items.rest().max(*from);
                if last - from > MOST_PLACES {
                    return None;
                }
                let mut all = Some(true);
                for place in *from..=last {
                    match self.tell_place(items, place, *lit) {
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => all = None,
                    }
                }
                all
            }
            _ => None,
        }
    }

    fn tell_place(&mut self, items: &Items, place: u64, lit: Lit) -> Option<bool> {
        if items.max.is_some_and(|max| max <= place) {
            return Some(true);
        }
        let state = items.state(place);
        if self.satisfy(state.iter().copied().chain([!lit])).is_nothing() {
            return Some(true);
        }
        (items.min > place && self.satisfy(state.into_iter().chain([lit])).is_nothing()).then_some(false)
    }

    /// Searches for an array.
    pub(super) fn find_items(&mut self, items: &Items) -> Answer {
        let rest = items.rest();
        if rest > MOST_PLACES || items.min > MOST_PLACES || items.counted.len() > MOST_COUNTED {
            return Answer::Unknown(Obstacle::Size);
        }
        // an item that can't exist ends the array
        let mut items = items.clone();
        for place in 0..=rest {
            let state = items.state(place);
            if self.satisfy(state).is_nothing() {
                items.lower(place);
                break;
            }
        }
        if items.max.is_some_and(|max| max < items.min) {
            return Answer::Nothing;
        }
        let needed = items.counted.iter().fold(0_u64, |sum, counted| sum.saturating_add(counted.min));
        let pair = if items.twice { 2 } else { 0 };
        // longer arrays needn't be tried, since their tail could be left out
        let last = items.min.max(rest.saturating_add(needed).saturating_add(pair));
        let last = items.max.map_or(last, |max| last.min(max));
        let mut unknown = None;
        for length in items.min..=last {
            if length - items.min > MOST_LENGTHS || length > MOST_PLACES {
                unknown = unknown.or(Some(Obstacle::Size));
                break;
            }
            for same in pairs(&items, length, rest) {
                let mut search = Search {
                    items: &items,
                    length,
                    rest,
                    same,
                    failed: HashSet::new(),
                    states: Vec::new(),
                    pattern: None,
                };
                let need = items.counted.iter().map(|counted| counted.min).collect();
                let room = items.counted.iter().map(|counted| counted.max).collect();
                if let Some(found) = self.place(&mut search, 0, need, room, &mut unknown) {
                    return found;
                }
                if unknown == Some(Obstacle::Steps) {
                    return Answer::Unknown(Obstacle::Steps);
                }
            }
        }
        unknown.map_or(Answer::Nothing, Answer::Unknown)
    }

    /// Decides which counted formulas the item at an index satisfies, and continues with the next index.
    fn place(
        &mut self,
        search: &mut Search<'_>,
        place: u64,
        need: Vec<u64>,
        room: Vec<Option<u64>>,
        unknown: &mut Option<Obstacle>,
    ) -> Option<Answer> {
        if !self.step() {
            *unknown = Some(Obstacle::Steps);
            return None;
        }
        let left = search.length - place;
        if need.iter().any(|need| *need > left) {
            return None;
        }
        if left == 0 {
            let states = search.states.clone();
            return self.values(search, &states, unknown);
        }
        // if items must differ or be equal, a dead end depends on the earlier items
        let again = search.items.unique || search.same.is_some();
        let key = (place.min(search.length), need.clone(), room.clone());
        if !again && search.failed.contains(&key) {
            return None;
        }
        let mut base = search.items.state(place.min(search.rest));
        if let Some((first, second)) = search.same
            && (place == first || place == second)
        {
            let other = if place == first { second } else { first };
            base.extend(search.items.state(other.min(search.rest)));
        }
        for bits in 0..1_usize << search.items.counted.len() {
            let is = |index: usize| bits >> index & 1 == 1;
            if search.same.is_some_and(|(_, second)| second == place) && search.pattern != Some(bits) {
                continue;
            }
            let (mut state, mut need, mut room) = (base.clone(), need.clone(), room.clone());
            let mut fits = true;
            for (index, counted) in search.items.counted.iter().enumerate() {
                let counts = place >= counted.from;
                if is(index) {
                    fits &= counts;
                    state.push(counted.lit);
                    need[index] = need[index].saturating_sub(1);
                    if let Some(room) = &mut room[index] {
                        fits &= *room > 0;
                        *room = room.saturating_sub(1);
                    }
                } else if counts && counted.max.is_some() {
                    state.push(!counted.lit);
                }
            }
            if !fits {
                continue;
            }
            match self.satisfy(state.iter().copied()) {
                Answer::Nothing => continue,
                Answer::Unknown(reason) => {
                    *unknown = unknown.or(Some(reason));
                    continue;
                }
                Answer::Value(_) => {}
            }
            search.states.push(state);
            if search.same.is_some_and(|(first, _)| first == place) {
                search.pattern = Some(bits);
            }
            let found = self.place(search, place + 1, need, room, unknown);
            search.states.pop();
            if found.is_some() {
                return found;
            }
        }
        if !again {
            search.failed.insert(key);
        }
        None
    }

    /// Returns the array, once the formulas of each item are decided.
    fn values(&mut self, search: &Search<'_>, states: &[Vec<Lit>], unknown: &mut Option<Obstacle>) -> Option<Answer> {
        let mut values = Vec::new();
        if search.items.unique {
            values = self.distinct(states, unknown)?;
        } else {
            for state in states {
                match self.satisfy(state.iter().copied()) {
                    Answer::Value(value) => match self.copy(&value) {
                        Some(value) => values.push(value),
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
        }
        Some(Answer::value(Value::Array(values)))
    }

    /// Returns a value for each conjunction, no two of them equal; `None` if none are found.
    fn distinct(&mut self, states: &[Vec<Lit>], unknown: &mut Option<Obstacle>) -> Option<Vec<Value>> {
        let mut known: BTreeMap<Vec<Lit>, Vec<Rc<Value>>> = BTreeMap::new();
        for state in states {
            if !known.contains_key(state) {
                let values = self.some_of(state, states.len(), unknown);
                known.insert(state.clone(), values);
            }
        }
        // the candidates of each index; an index with at least as many candidates as indices always finds one
        let all: Vec<&Vec<Rc<Value>>> = states.iter().filter_map(|state| known.get(state)).collect();
        let mut taken: Vec<(Rc<Value>, usize)> = Vec::new();
        for place in 0..all.len() {
            if !give(place, &all, &mut taken, &mut Vec::new()) {
                return None;
            }
        }
        let value =
            |place: usize| taken.iter().find(|(_, holder)| *holder == place).map(|(value, _)| (**value).clone());
        (0..all.len()).map(value).collect()
    }

    /// Returns at most `most` distinct values of a conjunction.
    fn some_of(&mut self, state: &[Lit], most: usize, unknown: &mut Option<Obstacle>) -> Vec<Rc<Value>> {
        let mut state = state.to_vec();
        let mut values = Vec::new();
        while values.len() < most {
            match self.satisfy(state.iter().copied()) {
                Answer::Value(value) => {
                    let Some(equal) = self.equal_to(&value) else { break };
                    state.push(!equal);
                    values.push(value);
                }
                Answer::Nothing => break,
                Answer::Unknown(reason) => {
                    *unknown = unknown.or(Some(reason));
                    break;
                }
            }
        }
        values
    }
}

/// Assigns a value to an index, which may move other indexes to other values (bipartite matching). Returns false if
/// that is impossible.
fn give(
    place: usize,
    all: &[&Vec<Rc<Value>>],
    taken: &mut Vec<(Rc<Value>, usize)>,
    asked: &mut Vec<Rc<Value>>,
) -> bool {
    for value in all[place] {
        if asked.iter().any(|one| equal(one, value)) {
            continue;
        }
        asked.push(value.clone());
        match taken.iter().position(|(one, _)| equal(one, value)) {
            None => {
                taken.push((value.clone(), place));
                return true;
            }
            Some(at) => {
                let holder = taken[at].1;
                if give(holder, all, taken, asked) {
                    // the previous owner has switched
                    if let Some(held) = taken.iter_mut().find(|(one, who)| *who == holder && equal(one, value)) {
                        held.1 = place;
                    }
                    return true;
                }
            }
        }
    }
    false
}

/// Returns the pairs of indexes to try for two equal items; `[None]` if no items must be equal. Items from `rest` on are
/// alike, so two of them are enough.
fn pairs(items: &Items, length: u64, rest: u64) -> Vec<Option<(u64, u64)>> {
    if !items.twice {
        return vec![None];
    }
    let last = length.min(rest + 2);
    let pair = |first: u64| (first + 1..last).map(move |second| Some((first, second)));
    (0..last).flat_map(pair).collect()
}
