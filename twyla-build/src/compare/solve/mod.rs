//! The search for a value of which some formulas hold, or the proof that there is none.
//!
//! A *state* is a set of literals that must all hold of one value. `branch` chooses among alternatives until only atoms of
//! one kind are left; `number`, `string`, `array` and `object` then find a value or see that there is none, asking the same
//! of the states of what is inside (`keys` of the names that members may have). States may lead back to one another: a
//! value of the least depth has none of its own state inside, so that a state within itself may be taken for one that has
//! no value.

mod array;
mod branch;
mod constant;
mod keys;
mod members;
mod number;
mod object;
mod string;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::formula::{Atom, Formula, Formulas, Index, Kind, Kinds, Lit};
use super::tables::Tables;

/// Values within each other that are looked for: what is deeper is not looked into.
const DEEPEST: usize = 1_500;

/// What must hold of one value: sorted literals, none of them an `All` by itself.
type State = Rc<[Lit]>;

/// What was found for a state.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A value of which all of it holds.
    Value(Rc<Value>),
    /// There is none: this is proven.
    Nothing,
    /// Neither could be shown.
    Unknown(Reason),
}

impl Answer {
    fn value(value: impl Into<Value>) -> Self {
        Self::Value(Rc::new(value.into()))
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// Why neither could be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// What can't be looked into.
    Opaque(Index),
    /// A pattern that no automaton can tell of.
    Pattern(Index),
    /// A format whose texts can't be told exactly.
    Format(Index),
    /// More steps than there may be.
    Steps,
    /// Values deeper within each other than are looked for.
    Deep,
    /// A number that can't be written, or isn't found among many.
    Number,
    /// Sizes beyond what is tried.
    Size,
}

/// Looks for values.
pub(crate) struct Solver<'a> {
    pub(crate) formulas: &'a mut Formulas,
    pub(crate) tables: &'a Tables,
    /// How many steps are left.
    pub(crate) steps: u64,
    known: HashMap<State, Answer>,
    /// States without a value, if that on the stack at that depth has none.
    assumed: HashMap<State, usize>,
    /// The same in the order in which they were found.
    assumptions: Vec<State>,
    /// The states that are being looked at, by depth.
    stack: HashMap<State, usize>,
    /// The least depth of those on the stack that what was found depends on.
    low: usize,
}

/// Literals that are looked at in one step.
const LITERALS: u64 = 32;
/// Characters that are made in one step.
const CHARACTERS: u64 = 32;

/// The parts of a value, counted no farther than is of interest.
fn size(value: &Value, most: u64) -> u64 {
    let add = |count: u64, value| if count > most { count } else { count + size(value, most - count) };
    match value {
        Value::Array(items) => items.iter().fold(1, add),
        Value::Object(members) => members.values().fold(1, add),
        Value::String(text) => 1 + text.len() as u64 / CHARACTERS,
        _ => 1,
    }
}

/// Depends on no state on the stack.
const FREE: usize = usize::MAX;

impl<'a> Solver<'a> {
    pub(crate) fn new(formulas: &'a mut Formulas, tables: &'a Tables, steps: u64) -> Self {
        Self {
            formulas,
            tables,
            steps,
            known: HashMap::new(),
            assumed: HashMap::new(),
            assumptions: Vec::new(),
            stack: HashMap::new(),
            low: FREE,
        }
    }

    /// Takes a step; false where none is left.
    fn step(&mut self) -> bool {
        self.take(1)
    }

    /// Takes as many steps; false where there aren't as many.
    fn take(&mut self, steps: u64) -> bool {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.is_some()
    }

    /// The value once more, each part of it a step, so that a small schema of a huge value ends.
    fn copy(&mut self, value: &Value) -> Option<Value> {
        let size = size(value, self.steps);
        self.take(size).then(|| value.clone())
    }

    /// A value of which all of these hold.
    pub(crate) fn satisfy(&mut self, lits: impl IntoIterator<Item = Lit>) -> Answer {
        if !self.step() {
            return Answer::Unknown(Reason::Steps);
        }
        let Some(state) = self.state(lits) else { return Answer::Nothing };
        if !self.take(state.len() as u64 / LITERALS) {
            return Answer::Unknown(Reason::Steps);
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
            return Answer::Unknown(Reason::Deep);
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

    /// Keeps what was found, and what was found on its way if that is true now.
    fn settle(&mut self, state: State, answer: &Answer, depth: usize, low: usize, first: usize) {
        if !answer.is_nothing() {
            // what was taken for granted isn't so
            for state in self.assumptions.drain(first..) {
                self.assumed.remove(&state);
            }
            if !matches!(answer, Answer::Unknown(Reason::Steps | Reason::Deep))
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

    /// The literals of a state, taken apart as far as they all hold; none where two exclude each other.
    fn state(&self, lits: impl IntoIterator<Item = Lit>) -> Option<State> {
        let mut open: Vec<Lit> = lits.into_iter().collect();
        let (mut state, mut seen) = (BTreeSet::new(), BTreeSet::new());
        while let Some(lit) = open.pop() {
            match self.formulas.get(lit) {
                Formula::True if lit.is_negated() => return None,
                Formula::True => {}
                Formula::All(parts) if !lit.is_negated() => open.extend(parts.iter()),
                Formula::Reference(reference) => {
                    // one that leads back to itself here says nothing more
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

    /// The kinds of value that a state leaves.
    fn kinds(&self, state: &[Lit]) -> Kinds {
        state.iter().fold(Kinds::ALL, |kinds, lit| match self.formulas.get(*lit) {
            Formula::Atom(Atom::Kinds(these)) => kinds.and(if lit.is_negated() { these.others() } else { *these }),
            Formula::Atom(atom) if lit.is_negated() => {
                // what is about values of one kind holds for all others
                atom.kind().map_or(kinds, |kind| kinds.and(Kinds::of(kind)))
            }
            _ => kinds,
        })
    }

    fn find(&mut self, state: &State) -> Answer {
        let kinds = self.kinds(state);
        let mut unknown = None;
        for kind in Kind::ALL {
            if !kinds.has(kind) {
                continue;
            }
            match self.of_kind(kind, state) {
                Answer::Nothing => {}
                Answer::Unknown(reason) => unknown = unknown.or(Some(reason)),
                value => return value,
            }
        }
        unknown.map_or(Answer::Nothing, Answer::Unknown)
    }
}
