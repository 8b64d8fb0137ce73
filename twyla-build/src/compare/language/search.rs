//! Searches for the shortest text that satisfies conditions on several automata.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use regex_syntax::hir::Look;

use super::alphabet::{Alphabet, is_word};
use super::automaton::{Automaton, Transition};
use super::budget::Budget;

/// A condition on a text. A part is an automaton, and whether it must match. If `holds`, all parts must be satisfied;
/// otherwise at least one must not be.
#[derive(Debug)]
pub(crate) struct Condition<'a> {
    pub(crate) parts: Vec<(&'a Automaton, bool)>,
    pub(crate) holds: bool,
}

/// The conditions on the text to find.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) conditions: Vec<Condition<'a>>,
    /// The minimum length of the text, in characters.
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
    /// The excluded texts.
    pub(crate) not: BTreeSet<Rc<str>>,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SearchResult {
    Text(String),
    /// Proven: no such text exists.
    Nothing,
    /// The budget of steps is exhausted.
    OutOfSteps,
}

/// A configuration of one automaton: its possible states before the next character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Configuration {
    states: Vec<usize>,
    before: Preceding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Preceding {
    /// The beginning of the text.
    Start,
    Word,
    Other,
    /// A match was found.
    Matched,
}

/// A running automaton, with its configurations interned.
struct Run<'a> {
    automaton: &'a Automaton,
    /// The index of the automaton's first class in the alphabet.
    classes: usize,
    configs: Vec<Configuration>,
    known: HashMap<Configuration, u32>,
    steps: HashMap<(u32, usize), u32>,
    ends: HashMap<u32, bool>,
    /// States visited but not yet counted as steps.
    looked: u64,
}

/// The number of states visited per step.
const STATES: u64 = 16;

impl Run<'_> {
    fn put(&mut self, config: Configuration) -> u32 {
        if let Some(known) = self.known.get(&config) {
            return *known;
        }
        let index = u32::try_from(self.configs.len()).unwrap_or(u32::MAX);
        self.configs.push(config.clone());
        self.known.insert(config, index);
        index
    }

    /// Returns the states that wait for the next character, and whether a match was found. `after` is that character,
    /// or `None` at the end of the text.
    fn closure(&mut self, config: &Configuration, after: Option<char>) -> (Vec<usize>, bool) {
        let (mut open, mut seen) = (config.states.clone(), BTreeSet::new());
        let mut chars = Vec::new();
        while let Some(state) = open.pop() {
            if !seen.insert(state) {
                continue;
            }
            self.looked += 1;
            match &self.automaton.states[state] {
                Transition::Match => return (Vec::new(), true),
                Transition::Chars(..) => chars.push(state),
                Transition::Split(all) => open.extend(all),
                Transition::Look(look, next) => {
                    let boundary = (config.before == Preceding::Word) != after.is_some_and(is_word);
                    let holds = match look {
                        Look::Start => config.before == Preceding::Start,
                        Look::End => after.is_none(),
                        Look::WordAscii => boundary,
                        _ => !boundary,
                    };
                    if holds {
                        open.push(*next);
                    }
                }
            }
        }
        (chars, false)
    }

    fn step(&mut self, from: u32, symbol: usize, c: char, holds: &[bool]) -> u32 {
        if let Some(known) = self.steps.get(&(from, symbol)) {
            return *known;
        }
        let config = self.configs[from as usize].clone();
        let to = if config.before == Preceding::Matched {
            from
        } else {
            let (chars, matched) = self.closure(&config, Some(c));
            let next = if matched {
                Configuration { states: Vec::new(), before: Preceding::Matched }
            } else {
                let mut states = BTreeSet::new();
                for state in chars {
                    if let Transition::Chars(class, next) = self.automaton.states[state]
                        && holds.get(self.classes + class).copied().unwrap_or(false)
                    {
                        states.insert(next);
                    }
                }
                if !self.automaton.anchored {
                    states.insert(self.automaton.start);
                }
                let before = if self.automaton.words && is_word(c) { Preceding::Word } else { Preceding::Other };
                Configuration { states: states.into_iter().collect(), before }
            };
            self.put(next)
        };
        self.steps.insert((from, symbol), to);
        to
    }

    /// Returns whether a text that ends here has a match.
    fn ends(&mut self, at: u32) -> bool {
        if let Some(known) = self.ends.get(&at) {
            return *known;
        }
        let config = self.configs[at as usize].clone();
        let ends = config.before == Preceding::Matched || self.closure(&config, None).1;
        self.ends.insert(at, ends);
        ends
    }

    /// Returns whether no continuation of the text has a match.
    fn is_dead(&self, at: u32) -> bool {
        let config = &self.configs[at as usize];
        config.before != Preceding::Matched && config.states.is_empty()
    }

    fn is_done(&self, at: u32) -> bool {
        self.configs[at as usize].before == Preceding::Matched
    }
}

/// The configurations of all automata.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SearchState {
    configs: Vec<u32>,
    /// The number of characters so far, counted up to the required minimum.
    length: u64,
    /// The excluded texts that begin with the current text: a range of their sorted list.
    like: (usize, usize),
}

impl Query<'_> {
    /// Returns the first of the shortest texts that satisfy the query. Each tried character takes a step, and more if
    /// it visits many states.
    pub(crate) fn run(&self, budget: &mut Budget) -> SearchResult {
        let automata: Vec<&Automaton> = self
            .conditions
            .iter()
            .flat_map(|condition| condition.parts.iter().map(|(automaton, _)| *automaton))
            .collect();
        let classes: Vec<_> = automata.iter().flat_map(|automaton| &automaton.classes).collect();
        let singles: BTreeSet<char> = self.not.iter().flat_map(|text| text.chars()).collect();
        let words = automata.iter().any(|automaton| automaton.words);
        let alphabet = Alphabet::new(&classes, &singles, words);
        let not: Vec<Vec<char>> = self.not.iter().map(|text| text.chars().collect()).collect();
        let mut first_class = 0;
        let mut walks: Vec<Run<'_>> = Vec::new();
        let mut configs = Vec::new();
        for automaton in automata {
            let mut walk = Run {
                automaton,
                classes: first_class,
                configs: Vec::new(),
                known: HashMap::new(),
                steps: HashMap::new(),
                ends: HashMap::new(),
                looked: 0,
            };
            first_class += automaton.classes.len();
            configs.push(walk.put(Configuration { states: vec![automaton.start], before: Preceding::Start }));
            walks.push(walk);
        }
        let start = SearchState { configs, length: 0, like: (0, not.len()) };
        // each state with the index of the previous state, and the character between them
        let mut places: Vec<(SearchState, usize, char)> = vec![(start.clone(), usize::MAX, ' ')];
        let mut known = HashSet::from([start]);
        let mut open = VecDeque::from([(0_usize, 0_u64)]);
        while let Some((at, depth)) = open.pop_front() {
            let place = places[at].0.clone();
            if place.length >= self.min && self.accepts(&place, &mut walks, &not, depth) {
                return SearchResult::Text(text(&places, at));
            }
            if self.max.is_some_and(|max| depth >= max) {
                continue;
            }
            for (symbol, (c, holds)) in alphabet.symbols.iter().enumerate() {
                let looked: u64 = walks.iter_mut().map(|walk| std::mem::take(&mut walk.looked)).sum();
                if !budget.take(1 + looked / STATES) {
                    return SearchResult::OutOfSteps;
                }
                let moved = place.configs.iter().zip(&mut walks);
                let configs: Vec<u32> = moved.map(|(config, walk)| walk.step(*config, symbol, *c, holds)).collect();
                if self.is_hopeless(&configs, &walks) {
                    continue;
                }
                let next = SearchState {
                    configs,
                    length: (place.length + 1).min(self.min),
                    like: narrowed(&not, place.like, depth, *c),
                };
                if known.insert(next.clone()) {
                    places.push((next, at, *c));
                    open.push_back((places.len() - 1, depth + 1));
                }
            }
        }
        SearchResult::Nothing
    }

    fn accepts(&self, place: &SearchState, walks: &mut [Run<'_>], not: &[Vec<char>], depth: u64) -> bool {
        let excluded = (place.like.0..place.like.1).any(|index| not[index].len() as u64 == depth);
        let mut all = place.configs.iter().zip(walks);
        let mut holds = true;
        for condition in &self.conditions {
            let mut every = true;
            for ((config, walk), (_, wanted)) in all.by_ref().take(condition.parts.len()).zip(&condition.parts) {
                every &= walk.ends(*config) == *wanted;
            }
            holds &= every == condition.holds;
        }
        holds && !excluded
    }

    /// Returns whether a condition can't hold any more, whatever follows.
    fn is_hopeless(&self, configs: &[u32], walks: &[Run<'_>]) -> bool {
        let mut all = configs.iter().zip(walks);
        self.conditions.iter().any(|condition| {
            let parts: Vec<_> = all.by_ref().take(condition.parts.len()).zip(&condition.parts).collect();
            if condition.holds {
                parts.iter().any(
                    |((config, walk), (_, wanted))| {
                        if *wanted { walk.is_dead(**config) } else { walk.is_done(**config) }
                    },
                )
            } else {
                parts.iter().all(
                    |((config, walk), (_, wanted))| {
                        if *wanted { walk.is_done(**config) } else { walk.is_dead(**config) }
                    },
                )
            }
        })
    }
}

/// Returns the part of a range of sorted texts that has the character `c` at position `depth`.
fn narrowed(not: &[Vec<char>], (from, to): (usize, usize), depth: u64, c: char) -> (usize, usize) {
    let depth = usize::try_from(depth).unwrap_or(usize::MAX);
    let some = not.get(from..to).unwrap_or_default();
    // a text that ends at this depth is sorted before the longer ones
    let first = some.partition_point(|text| text.get(depth).is_none_or(|other| *other < c));
    let last = some.partition_point(|text| text.get(depth).is_none_or(|other| *other <= c));
    if first < last { (from + first, from + last) } else { (0, 0) }
}

fn text(places: &[(SearchState, usize, char)], mut at: usize) -> String {
    let mut chars = Vec::new();
    while let Some((_, before, c)) = places.get(at).filter(|(_, before, _)| *before != usize::MAX) {
        chars.push(*c);
        at = *before;
    }
    chars.into_iter().rev().collect()
}
