//! Searches for a value that satisfies a set of formulas, or proves that there is none.
//!
//! A *conjunction* is a set of literals that must all hold for one value. `branch` chooses among alternatives until
//! only atoms of one type are left. `number`, `string`, `array` and `object` then find a value or prove that there is
//! none; they search for items and members in the same way (`keys` has the names that members may have). Conjunctions
//! may be recursive. A conjunction within itself counts as one without a value: a value of the least depth doesn't
//! contain another value of the same conjunction.

mod array;
mod branch;
mod constant;
mod doubles;
mod keys;
mod members;
mod number;
mod object;
mod string;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::formula::{Atom, Formula, Formulas, Index, Lit};
use super::language::Budget;
use super::tables::Tables;
use crate::json_type::{JsonType, JsonTypes};

/// Limit of nested values in the search.
const DEEPEST: usize = 1_500;

/// The types in the order of the search: simple values come first.
const SIMPLE_FIRST: [JsonType; 6] =
    [JsonType::Null, JsonType::Boolean, JsonType::Number, JsonType::String, JsonType::Array, JsonType::Object];

/// The literals that must hold for one value, sorted; none of them is an `All`.
type Conjunction = Rc<[Lit]>;

/// The result of a search.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A value that satisfies all formulas.
    Value(Rc<Value>),
    /// Proven: no value satisfies all formulas.
    Nothing,
    /// Undecided, for this reason.
    Unknown(Obstacle),
}

impl Answer {
    fn value(value: impl Into<Value>) -> Self {
        Self::Value(Rc::new(value.into()))
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// Why a search has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// An opaque keyword.
    Opaque(Index),
    /// A pattern without an automaton.
    Pattern(Index),
    /// A format without an exact language.
    Format(Index),
    /// The budget of steps is exhausted.
    Steps,
    /// The time is over.
    Time,
    /// The limit of nested values is reached.
    Deep,
    /// A number can't be represented, or none of the tried numbers fits.
    Number,
    /// The common multiple of several factors is too long to compute.
    Factors,
    /// An array, an object or a string would be larger than the search tries.
    Size,
}

/// The search for values.
pub(crate) struct Solver<'a> {
    pub(crate) formulas: &'a mut Formulas,
    pub(crate) tables: &'a Tables,
    pub(crate) budget: Budget,
    known: HashMap<Conjunction, Answer>,
    /// Conjunctions without a value, provided that the conjunction on the stack at this depth has none.
    assumed: HashMap<Conjunction, usize>,
    /// The keys of `assumed`, in the order in which they were added.
    assumptions: Vec<Conjunction>,
    /// The conjunctions on the stack, by depth.
    stack: HashMap<Conjunction, usize>,
    /// The least depth on the stack that the result depends on.
    low: usize,
}

/// The number of literals examined per step.
const LITERALS: u64 = 32;
/// The number of characters created per step.
const CHARACTERS: u64 = 32;

/// Counts the parts of a value, up to `most`.
fn size(value: &Value, most: u64) -> u64 {
    let add = |count: u64, value| if count > most { count } else { count + size(value, most - count) };
    match value {
        Value::Array(items) => items.iter().fold(1, add),
        Value::Object(members) => members.values().fold(1, add),
        Value::String(text) => 1 + text.len() as u64 / CHARACTERS,
        _ => 1,
    }
}

/// The `low` of a result that depends on nothing on the stack.
const FREE: usize = usize::MAX;

impl<'a> Solver<'a> {
    pub(crate) fn new(formulas: &'a mut Formulas, tables: &'a Tables, budget: Budget) -> Self {
        Self {
            formulas,
            tables,
            budget,
            known: HashMap::new(),
            assumed: HashMap::new(),
            assumptions: Vec::new(),
            stack: HashMap::new(),
            low: FREE,
        }
    }

    /// Takes a step from the budget. Returns false if none remains.
    fn step(&mut self) -> bool {
        self.take(1)
    }

    /// Takes several steps from the budget. Returns false if there aren't enough.
    fn take(&mut self, steps: u64) -> bool {
        self.budget.take(steps)
    }

    /// Clones a value, which takes one step per part, so that the search ends for small schemas with huge values;
    /// `None` if there aren't enough steps.
    fn copy(&mut self, value: &Value) -> Option<Value> {
        let size = size(value, self.budget.steps());
        self.take(size).then(|| value.clone())
    }

    /// Returns the reason of an unknown answer: the time, if it ran out before the steps.
    pub(crate) fn reason(&self, reason: Obstacle) -> Obstacle {
        if reason == Obstacle::Steps && self.budget.is_late() { Obstacle::Time } else { reason }
    }

    /// Searches for a value that satisfies all literals.
    pub(crate) fn satisfy(&mut self, lits: impl IntoIterator<Item = Lit>) -> Answer {
        if !self.step() {
            return Answer::Unknown(Obstacle::Steps);
        }
        let Some(state) = self.state(lits) else { return Answer::Nothing };
        if !self.take(state.len() as u64 / LITERALS) {
            return Answer::Unknown(Obstacle::Steps);
        }
        if let Some(known) = self.known.get(&state) {
            return known.clone();
        }
        if let Some(low) = self.assumed.get(&state) {
            self.low = self.low.min(*low);
            return Answer::Nothing;
        }
        if let Some(depth) = self.stack.get(&state) {
            self.low = self.low.min(*depth);
            return Answer::Nothing;
        }
        let depth = self.stack.len();
        if depth >= DEEPEST {
            return Answer::Unknown(Obstacle::Deep);
        }
        self.stack.insert(state.clone(), depth);
        let outer = std::mem::replace(&mut self.low, FREE);
        let first = self.assumptions.len();
        let answer = self.find(&state);
        self.stack.remove(&state);
        let low = std::mem::replace(&mut self.low, outer);
        self.settle(state, &answer, depth, low, first);
        answer
    }

    /// Caches a result, and the assumed results that it confirms. Removes the assumed results that it refutes.
    fn settle(&mut self, state: Conjunction, answer: &Answer, depth: usize, low: usize, first: usize) {
        if !answer.is_nothing() {
            // the assumption was wrong
            for state in self.assumptions.drain(first..) {
                self.assumed.remove(&state);
            }
            if !matches!(answer, Answer::Unknown(Obstacle::Steps | Obstacle::Deep))
                && (low >= depth || matches!(answer, Answer::Value(_)))
            {
                self.known.insert(state, answer.clone());
            }
            return;
        }
        if low >= depth {
            for state in self.assumptions.drain(first..) {
                self.assumed.remove(&state);
                self.known.insert(state, Answer::Nothing);
            }
            self.known.insert(state, Answer::Nothing);
            return;
        }
        self.low = self.low.min(low);
        for state in self.assumptions.get(first..).unwrap_or_default() {
            if let Some(known) = self.assumed.get_mut(state) {
                *known = (*known).min(low);
            }
        }
        self.assumptions.push(state.clone());
        self.assumed.insert(state, low);
    }

    /// Flattens the literals of a conjunction; `None` if two contradict each other.
    fn state(&self, lits: impl IntoIterator<Item = Lit>) -> Option<Conjunction> {
        let mut open: Vec<Lit> = lits.into_iter().collect();
        let (mut state, mut seen) = (BTreeSet::new(), BTreeSet::new());
        while let Some(lit) = open.pop() {
            match self.formulas.get(lit) {
                Formula::True if lit.is_negated() => return None,
                Formula::True => {}
                Formula::All(parts) if !lit.is_negated() => open.extend(parts.iter()),
                Formula::Reference(reference) => {
                    // a reference that leads back to itself adds nothing
                    if seen.insert(lit)
                        && let Some(target) = self.formulas.target(*reference)
                    {
                        open.push(if lit.is_negated() { !target } else { target });
                    }
                }
                _ => {
                    if state.contains(&!lit) {
                        return None;
                    }
                    state.insert(lit);
                }
            }
        }
        Some(state.into_iter().collect())
    }

    /// Returns the types of value that a conjunction allows.
    fn types(&self, state: &[Lit]) -> JsonTypes {
        state.iter().fold(JsonTypes::ALL, |types, lit| match self.formulas.get(*lit) {
            Formula::Atom(Atom::Types(these)) => types.and(if lit.is_negated() { these.others() } else { *these }),
            Formula::Atom(atom) if lit.is_negated() => {
                // an atom about one type holds for all other types
                atom.json_type().map_or(types, |type_| types.and(JsonTypes::of(type_)))
            }
            _ => types,
        })
    }

    fn find(&mut self, state: &Conjunction) -> Answer {
        let types = self.types(state);
        let mut unknown = None;
        for type_ in SIMPLE_FIRST {
            if !types.has(type_) {
                continue;
            }
            match self.of_type(type_, state) {
                Answer::Nothing => {}
                Answer::Unknown(reason) => unknown = unknown.or(Some(reason)),
                value => return value,
            }
        }
        unknown.map_or(Answer::Nothing, Answer::Unknown)
    }
}
