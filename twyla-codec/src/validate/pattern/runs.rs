//! A matcher for patterns that are a sequence of character runs, such as `^[A-Z]{2}[0-9]{4}$`, as most patterns in
//! schemas are. It is several times faster than an automaton, in which every step depends on the state of the step
//! before.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Patterns with more steps are left to the automaton.
const MOST_STEPS: usize = 16;

/// A pattern that begins with `^`. Each run ends before the first byte that the next step matches, so no backtracking
/// is needed.
#[derive(Debug)]
pub(super) struct Runs {
    steps: Vec<RunStep>,
    /// Whether the pattern ends with `$`.
    to_the_end: bool,
}

#[derive(Debug)]
enum RunStep {
    Literal(Vec<u8>),
    /// Exactly this number of bytes of the set.
    Count(Box<Set>, usize),
    /// A greedy run of bytes of the set: at least the first number of them, and at most the second.
    Run(Box<Set>, usize, usize),
}

/// A set of bytes.
type Set = [bool; 256];

impl Runs {
    /// Compiles the pattern; `None` if it is not a sequence of character runs.
    pub(super) fn of(translated: &str) -> Option<Self> {
        let hir = regex_syntax::parse(translated).ok()?;
        let mut parts = Vec::new();
        flatten(&hir, &mut parts);
        let (HirKind::Look(Look::Start), mut middle) = parts.split_first().map(|(first, rest)| (first.kind(), rest))?
        else {
            return None;
        };
        let mut to_the_end = false;
        if let Some((last, before)) = middle.split_last()
            && matches!(last.kind(), HirKind::Look(Look::End))
        {
            (to_the_end, middle) = (true, before);
        }
        if middle.len() > MOST_STEPS {
            return None;
        }
        let steps: Vec<RunStep> = middle.iter().map(|part| step(part)).collect::<Option<_>>()?;
        for (index, step) in steps.iter().enumerate() {
            if let RunStep::Run(set, ..) = step
                && !may_end(set, steps.get(index + 1..)?)
            {
                return None;
            }
        }
        Some(Self { steps, to_the_end })
    }

    #[inline]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        let mut rest = text;
        for step in &self.steps {
            rest = match step {
                RunStep::Literal(literal) => match rest.strip_prefix(literal.as_slice()) {
                    Some(rest) => rest,
                    None => return false,
                },
                RunStep::Count(set, count) => match rest.split_at_checked(*count) {
                    Some((run, rest)) if run.iter().all(|byte| set[usize::from(*byte)]) => rest,
                    _ => return false,
                },
                RunStep::Run(set, least, most) => {
                    let count = rest.iter().position(|byte| !set[usize::from(*byte)]).unwrap_or(rest.len());
                    if count < *least {
                        return false;
                    }
                    rest.get(count.min(*most)..).unwrap_or_default()
                }
            };
        }
        rest.is_empty() || !self.to_the_end
    }
}

/// Flattens nested concatenations and groups.
fn flatten<'h>(hir: &'h Hir, into: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(parts) => parts.iter().for_each(|part| flatten(part, into)),
        HirKind::Capture(capture) => flatten(&capture.sub, into),
        HirKind::Empty => {}
        _ => into.push(hir),
    }
}

fn step(part: &Hir) -> Option<RunStep> {
    match part.kind() {
        HirKind::Literal(literal) => Some(RunStep::Literal(literal.0.to_vec())),
        HirKind::Class(_) => set(part, true).map(|set| RunStep::Count(set, 1)),
        HirKind::Repetition(repetition) => {
            let least = usize::try_from(repetition.min).ok()?;
            let most = repetition.max.map_or(Some(usize::MAX), |most| usize::try_from(most).ok())?;
            let set = set(&repetition.sub, least > 1 || most < usize::MAX)?;
            Some(if least == most { RunStep::Count(set, least) } else { RunStep::Run(set, least, most) })
        }
        _ => None,
    }
}

/// Returns the bytes of a class; `None` if bytes can't represent it. If `counted`, each byte must be one character.
fn set(part: &Hir, counted: bool) -> Option<Box<Set>> {
    let mut set = Box::new([false; 256]);
    match part.kind() {
        HirKind::Literal(literal) => {
            let [byte] = *literal.0 else { return None };
            *set.get_mut(usize::from(byte))? = true;
        }
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                for byte in range.start() as usize..=range.end() as usize {
                    let Some(member) = set.get_mut(byte).filter(|_| byte < 128) else { break };
                    *member = true;
                }
            }
            let beyond = class.ranges().last().filter(|last| !last.end().is_ascii());
            if let Some(last) = beyond {
                // beyond ASCII, a class must have all characters or none: single bytes don't distinguish them
                if counted || last.end() != char::MAX || last.start() > '\u{80}' {
                    return None;
                }
                set[128..].fill(true);
            }
        }
        _ => return None,
    }
    Some(set)
}

/// Returns whether a greedy run of this set needs no backtracking: no byte that may follow is in the set.
fn may_end(set: &Set, following: &[RunStep]) -> bool {
    let apart = |other: &Set| !set.iter().zip(other).any(|(a, b)| *a && *b);
    for step in following {
        match step {
            RunStep::Literal(literal) => return literal.first().is_none_or(|byte| !set[usize::from(*byte)]),
            RunStep::Count(_, 0) => {}
            RunStep::Count(other, _) => return apart(other),
            RunStep::Run(other, least, _) => {
                if !apart(other) {
                    return false;
                }
                if *least > 0 {
                    return true;
                }
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of the characters that the patterns below tell apart.
    fn texts() -> Vec<String> {
        let letters = ["", "A", "b", "7", "-", ".", "ä", "\n", "O", "RD"];
        let mut all = vec![String::new()];
        for _ in 0..4 {
            all = all.iter().flat_map(|text| letters.map(|letter| format!("{text}{letter}"))).collect();
        }
        all.push("ORD-12345678".to_owned());
        all.push("AB1234".to_owned());
        all
    }

    #[test]
    fn agrees_with_the_automaton() {
        for pattern in [
            "^[A-Z]{2}[0-9]{4}$",
            "^[a-z][a-z0-9_.-]*$",
            "^ORD-[0-9]{8}$",
            "^ORD-[0-9]{1,2}",
            "^[A-Z]{1,2}[0-9]?-*$",
            "^[^-]*-[^-]*$",
            "^[^-]+$",
            "^A*b*7*$",
            "^A?b",
            "^$",
            "^",
            "^[Ab]{2,3}-{0}7$",
            "^(?:A)(b)[0-9]+$",
        ] {
            let runs = Runs::of(pattern).expect(pattern);
            let regex = regex::Regex::new(pattern).unwrap();
            for text in texts() {
                assert_eq!(runs.is_match(text.as_bytes()), regex.is_match(&text), "{pattern} on {text:?}");
            }
        }
    }

    #[test]
    fn leaves_to_the_automaton_what_would_go_back() {
        for pattern in [
            "[a-z]",
            "[a-z]$",
            "^[a-z]*a$",
            "^a|b$",
            "^[^-]$",
            "^[^-]{2}$",
            "^[ä]*$",
            "^(ab)*$",
            "^a*(b*)a$",
            "^(?m)a$",
        ] {
            assert!(Runs::of(pattern).is_none(), "{pattern}");
        }
    }
}
