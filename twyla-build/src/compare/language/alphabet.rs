//! The alphabet of several automata: one representative for each class of characters that they distinguish.

use std::collections::{BTreeSet, HashMap};

use twyla_contract::text::is_invisible;

use super::automaton::Ranges;

/// The classes of characters that some automata distinguish.
#[derive(Debug)]
pub(super) struct Alphabet {
    /// One character of each class, readable ones first. The character's flags state which of the automata's classes
    /// contain it.
    pub(super) symbols: Vec<(char, Vec<bool>)>,
}

/// Returns whether a character belongs to a word, as in `\w`.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

const LAST: u32 = char::MAX as u32;

impl Alphabet {
    /// Creates the alphabet of these classes and single characters; each single character is a class of its own.
    pub(super) fn new(classes: &[&Ranges], singles: &BTreeSet<char>, words: bool) -> Self {
        // the characters at which a class may begin
        let mut starts = BTreeSet::from([0, 0xE000]);
        for (from, to) in classes.iter().flat_map(|ranges| ranges.iter()) {
            starts.extend([u32::from(*from), u32::from(*to) + 1]);
        }
        for single in singles {
            starts.extend([u32::from(*single), u32::from(*single) + 1]);
        }
        // each readable character begins a range of its own, so that it can represent its class
        for c in ['0', '9', 'A', 'Z', 'a', 'z', '_', ' ', '~'] {
            starts.extend([u32::from(c), u32::from(c) + 1]);
        }
        let starts: Vec<u32> = starts.into_iter().filter(|start| *start <= LAST).collect();
        let mut kinds: HashMap<(Vec<bool>, Option<char>, bool), char> = HashMap::new();
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(LAST, |next| next - 1);
            let Some(c) = (*start..=end).find_map(char::from_u32) else { continue };
            let holds = classes.iter().map(|ranges| contains(ranges, c)).collect();
            let key = (holds, singles.get(&c).copied(), words && is_word(c));
            let nicest = nicest(c, char::from_u32(end).unwrap_or(c));
            let kept = kinds.entry(key).or_insert(nicest);
            if rank(nicest) < rank(*kept) {
                *kept = nicest;
            }
        }
        let mut symbols: Vec<(char, Vec<bool>)> = kinds.into_iter().map(|((holds, ..), c)| (c, holds)).collect();
        symbols.sort_by_key(|(c, _)| rank(*c));
        Self { symbols }
    }
}

fn contains(ranges: &Ranges, c: char) -> bool {
    let after = ranges.partition_point(|(from, _)| *from <= c);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, to)| c <= *to)
}

/// Returns the order in which characters are chosen for examples: readable ones first.
fn rank(c: char) -> (u8, char) {
    let group = match c {
        'a'..='z' => 0,
        '0'..='9' => 1,
        'A'..='Z' => 2,
        '!'..='~' => 3,
        ' ' => 4,
        c if c.is_alphanumeric() => 5,
        c if !is_invisible(c) => 6,
        _ => 7,
    };
    (group, c)
}

fn nicest(from: char, to: char) -> char {
    ['a', '0', 'A', '!', ' ', 'é'].into_iter().find(|c| (from..=to).contains(c)).unwrap_or(from)
}
