//! Unrolls loops around groups: ECMA-262 resets a group in each iteration of the loop around it, the crates don't.
//!
//! So the last iteration is written separately: `(?:(a)|b)*\1` becomes `(?:(?:(?:a)|b){0,}(?:(a)|b))?\1`.

use super::groups::{group_names, name, outside_of_classes};
use super::translator::Translator;

/// A group and its quantifier.
struct Loop {
    start: usize,
    /// The offset after the group's `)`.
    end: usize,
    /// The offset after the quantifier.
    after: usize,
    /// The minimum number of repetitions.
    least: u32,
    /// The maximum number of repetitions; `None` if unlimited.
    most: Option<u32>,
    lazy: bool,
}

impl Loop {
    fn is_loop(&self) -> bool {
        self.most.is_none_or(|most| most > 1)
    }
}

/// Writes the last iteration of each loop separately if a reference leads to a group in it. `None` if that is
/// impossible: the loop refers to a group in it that an iteration may skip, or an iteration may match the empty text,
/// which ECMA-262 allows only for the minimum number of repetitions.
pub(super) fn unrolled(pattern: &str) -> Option<String> {
    let whole = WholePattern { text: pattern, names: group_names(pattern) };
    whole.turns(pattern, 0)
}

/// A whole pattern, with the names of its groups.
struct WholePattern<'p> {
    text: &'p str,
    names: Vec<Option<String>>,
}

impl WholePattern<'_> {
    /// Unrolls a part of the pattern; `before` is the number of groups before the part.
    fn turns(&self, part: &str, before: usize) -> Option<String> {
        let range = |group: &Loop| {
            let first = before + group_names(&part[..group.start]).len();
            first..first + group_names(&part[group.start..group.end]).len()
        };
        let is_meant = |group: &&Loop| group.is_loop() && refers_into(self.text, range(group), &self.names);
        let groups = groups(part);
        let Some(group) = groups.iter().find(is_meant) else { return Some(part.to_owned()) };
        let own = range(group);
        let (head, whole, rest) = (&part[..group.start], &part[group.start..group.end], &part[group.after..]);
        let rest = self.turns(rest, own.end)?;
        if refers_into(whole, own.clone(), &self.names) {
            // each iteration sets the groups that it refers to, unless it may skip a group
            let kept = &part[group.start..group.after];
            return (!may_skip(whole)).then(|| format!("{head}{kept}{rest}"));
        }
        let before = without_groups(whole);
        if may_be_empty(&before) {
            return None;
        }
        let lazy = if group.lazy { "?" } else { "" };
        let most = group.most.map(|most| (most - 1).to_string()).unwrap_or_default();
        let last = self.turns(whole, own.start)?;
        let turns = format!("{before}{{{},{most}}}{lazy}{last}", group.least.saturating_sub(1));
        let turns = if group.least == 0 { format!("(?:{turns})?{lazy}") } else { turns };
        Some(format!("{head}{turns}{rest}"))
    }
}

/// Returns whether a text without capture groups may match the empty text; true if unknown.
fn may_be_empty(text: &str) -> bool {
    let mut translator = Translator::new(text);
    if translator.pattern().is_none() || translator.backtracking {
        return true;
    }
    let parsed = regex_syntax::parse(&translator.out);
    parsed.map_or(true, |hir| hir.properties().minimum_len().is_none_or(|least| least == 0))
}

/// Returns whether a text refers to one of these groups, counted from 0.
fn refers_into(text: &str, groups: std::ops::Range<usize>, names: &[Option<String>]) -> bool {
    let mut found = false;
    outside_of_classes(text, |rest| {
        let Some(rest) = rest.strip_prefix('\\') else { return };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if rest.starts_with(|c| matches!(c, '1'..='9')) {
            let number = rest.get(..digits).and_then(|digits| digits.parse::<usize>().ok());
            found |= number.is_some_and(|number| groups.contains(&(number - 1)));
        } else if let Some((named, _)) = rest.strip_prefix("k<").and_then(|rest| rest.split_once('>')) {
            let name = name(named);
            found |= groups.clone().any(|group| names.get(group).is_some_and(|it| it.is_some() && *it == name));
        }
    });
    found
}

/// Returns whether an iteration may skip a group.
fn may_skip(whole: &str) -> bool {
    let mut alternatives = false;
    outside_of_classes(whole, |rest| alternatives |= rest.starts_with('|'));
    alternatives || groups(whole).iter().any(|group| group.least == 0)
}

/// Turns capture groups into groups that don't capture.
fn without_groups(text: &str) -> String {
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    outside_of_classes(text, |rest| {
        let at = text.len() - rest.len();
        let Some(inside) = rest.strip_prefix('(') else { return };
        match inside.strip_prefix("?<").filter(|named| !named.starts_with(['=', '!'])) {
            Some(named) => cuts.push((at + 1, at + 3 + named.find('>').map_or(0, |end| end + 1))),
            None if !inside.starts_with('?') => cuts.push((at + 1, at + 1)),
            None => {}
        }
    });
    let (mut out, mut done) = (String::with_capacity(text.len() + 8), 0);
    for (from, to) in cuts {
        out.push_str(&text[done..from]);
        out.push_str("?:");
        done = to;
    }
    out.push_str(&text[done..]);
    out
}

/// Returns the complete groups of a text, outer ones first.
fn groups(text: &str) -> Vec<Loop> {
    let (mut open, mut found) = (Vec::new(), Vec::new());
    outside_of_classes(text, |rest| {
        let at = text.len() - rest.len();
        match rest.as_bytes().first() {
            Some(b'(') => open.push(at),
            Some(b')') => {
                let Some(start) = open.pop() else { return };
                let behind = rest.get(1..).unwrap_or_default();
                let (least, most, length) = counts(behind);
                let lazy = length > 0 && behind.get(length..).is_some_and(|rest| rest.starts_with('?'));
                let after = at + 1 + length + usize::from(lazy);
                found.push(Loop { start, end: at + 1, after, least, most, lazy });
            }
            _ => {}
        }
    });
    found.sort_by_key(|group| group.start);
    found
}

/// Parses a quantifier: minimum, maximum and length.
fn counts(rest: &str) -> (u32, Option<u32>, usize) {
    match rest.as_bytes().first() {
        Some(b'*') => (0, None, 1),
        Some(b'+') => (1, None, 1),
        Some(b'?') => (0, Some(1), 1),
        Some(b'{') => {
            let end = rest.find('}').unwrap_or(0);
            let text = rest.get(1..end).unwrap_or_default();
            let (least, most) = text.split_once(',').map_or((text, Some(text)), |(least, most)| (least, Some(most)));
            (least.parse().unwrap_or(0), most.and_then(|most| most.parse().ok()), end + 1)
        }
        _ => (1, Some(1), 0),
    }
}
