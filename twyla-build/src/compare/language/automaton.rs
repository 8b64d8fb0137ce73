//! The automaton of one pattern, over characters: decides whether a text contains a match.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The maximum number of states. A pattern that needs more has no automaton.
const MOST: usize = 20_000;

/// A state of the pattern's automaton, described by the transitions out of it.
#[derive(Clone, Debug)]
pub(super) enum Transition {
    /// One character of the class at the first index, then the state at the second.
    Chars(usize, usize),
    /// Any of these states, without a character.
    Split(Vec<usize>),
    /// Another state, if a look-around assertion holds.
    Look(Look, usize),
    /// The text has a match.
    Match,
}

/// A set of characters: sorted, disjoint ranges.
pub(super) type Ranges = Vec<(char, char)>;

/// A pattern as states.
#[derive(Debug)]
pub(crate) struct Automaton {
    pub(super) states: Vec<Transition>,
    pub(super) classes: Vec<Ranges>,
    pub(super) start: usize,
    /// Whether a match can begin only at the start of the text.
    pub(super) anchored: bool,
    /// Whether the pattern has word boundaries.
    pub(super) words: bool,
}

impl Automaton {
    /// Builds the automaton of an expression of the `regex` crate; `None` if it is too large or has unsupported assertions.
    pub(crate) fn new(expression: &str) -> Option<Self> {
        let hir = regex_syntax::parse(expression).ok()?;
        let mut automaton =
            Self { states: vec![Transition::Match], classes: Vec::new(), start: 0, anchored: false, words: false };
        automaton.anchored = begins(&hir);
        automaton.start = automaton.put(&hir, 0)?;
        Some(automaton)
    }

    /// Returns the size of the automaton: its states, their alternatives, and its ranges of characters.
    pub(super) fn size(&self) -> usize {
        let jumps = |state: &Transition| if let Transition::Split(all) = state { all.len() } else { 0 };
        self.states.iter().map(|state| 1 + jumps(state)).chain(self.classes.iter().map(Vec::len)).sum()
    }

    fn add(&mut self, state: Transition) -> Option<usize> {
        if self.states.len() >= MOST {
            return None;
        }
        self.states.push(state);
        Some(self.states.len() - 1)
    }

    fn class(&mut self, ranges: Ranges, next: usize) -> Option<usize> {
        let known = self.classes.iter().position(|known| *known == ranges);
        let class = known.unwrap_or_else(|| {
            self.classes.push(ranges);
            self.classes.len() - 1
        });
        self.add(Transition::Chars(class, next))
    }

    /// Adds an expression that continues with the state `next`. Returns its first state; `None` if the automaton can't
    /// be built.
    fn put(&mut self, hir: &Hir, next: usize) -> Option<usize> {
        match hir.kind() {
            HirKind::Empty => Some(next),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).ok()?;
                text.chars().rev().try_fold(next, |next, c| self.class(vec![(c, c)], next))
            }
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.ranges().iter().map(|range| (range.start(), range.end())).collect();
                self.class(ranges, next)
            }
            HirKind::Class(Class::Bytes(class)) => {
                let ranges = class.to_unicode_class()?;
                let ranges = ranges.ranges().iter().map(|range| (range.start(), range.end())).collect();
                self.class(ranges, next)
            }
            HirKind::Look(look) => {
                match look {
                    Look::Start | Look::End => {}
                    Look::WordAscii | Look::WordAsciiNegate => self.words = true,
                    _ => return None,
                }
                self.add(Transition::Look(*look, next))
            }
            HirKind::Capture(capture) => self.put(&capture.sub, next),
            HirKind::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.put(part, next)),
            HirKind::Alternation(parts) => {
                let starts = parts.iter().map(|part| self.put(part, next)).collect::<Option<Vec<_>>>()?;
                self.add(Transition::Split(starts))
            }
            HirKind::Repetition(repetition) => {
                let mut next = next;
                match repetition.max {
                    None => {
                        // the end of the loop's body leads back to this state, so it exists first
                        let split = self.add(Transition::Split(Vec::new()))?;
                        let inside = self.put(&repetition.sub, split)?;
                        self.states[split] = Transition::Split(vec![inside, next]);
                        next = split;
                    }
                    Some(max) => {
                        let end = next;
                        for _ in repetition.min..max {
                            let inside = self.put(&repetition.sub, next)?;
                            next = self.add(Transition::Split(vec![inside, end]))?;
                        }
                    }
                }
                (0..repetition.min).try_fold(next, |next, _| self.put(&repetition.sub, next))
            }
        }
    }
}

/// Returns whether every match begins at the start of the text.
fn begins(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(Look::Start) => true,
        HirKind::Capture(capture) => begins(&capture.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(begins),
        HirKind::Alternation(parts) => parts.iter().all(begins),
        HirKind::Repetition(repetition) => repetition.min > 0 && begins(&repetition.sub),
        _ => false,
    }
}
