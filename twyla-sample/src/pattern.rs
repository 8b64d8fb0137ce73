//! Generates strings that match a pattern, and matches patterns.

use std::cell::RefCell;
use std::collections::HashMap;

use fancy_regex::Expr;
use regex_syntax::hir::{Class, Hir, HirKind};
use twyla_build::compare::Pattern;

use crate::rng::Rng;

/// The maximum length of a generated string.
pub(crate) const LONGEST: usize = 100_000;

/// Returns whether an ECMA pattern matches within a text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    with(pattern, |pattern| pattern.is_match(text) == Some(true))
}

/// Calls `work` with the parsed pattern; each thread caches the patterns that it has parsed.
fn with<T>(pattern: &str, work: impl FnOnce(&Pattern) -> T) -> T {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Pattern>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| work(known.entry(pattern.to_owned()).or_insert_with(|| Pattern::new(pattern))))
}

/// A pattern as a syntax tree.
enum Tree {
    Plain(Hir),
    /// A pattern with lookarounds or backreferences, and the numbers of its groups.
    Backtracking(Box<Expr>, HashMap<*const Expr, usize>),
}

impl Tree {
    fn of(pattern: &str) -> Option<Self> {
        with(pattern, |pattern| match (pattern.regex(), pattern.backtracking()) {
            (Some(regex), _) => regex_syntax::Parser::new().parse(regex).ok().map(Self::Plain),
            (None, Some(regex)) => {
                let tree = Box::new(Expr::parse_tree(regex).ok()?.expr);
                let groups = groups(&tree);
                Some(Self::Backtracking(tree, groups))
            }
            (None, None) => None,
        })
    }
}

/// Returns the numbers of the groups in a tree, in the order of their opening brackets.
fn groups(tree: &Expr) -> HashMap<*const Expr, usize> {
    let (mut open, mut groups) = (vec![tree], HashMap::new());
    while let Some(expr) = open.pop() {
        if let Expr::Group(_) = expr {
            groups.insert(std::ptr::from_ref(expr), groups.len() + 1);
        }
        let inner: Vec<&Expr> = expr.children_iter().collect();
        open.extend(inner.into_iter().rev());
    }
    groups
}

/// Returns strings of several lengths that match a pattern.
pub(crate) fn of_pattern(pattern: &str, least: usize, most: Option<usize>, salt: usize) -> Vec<String> {
    let Some(tree) = Tree::of(pattern) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    // a few repetitions look natural; then more for the minimum length, and then as few as possible. Lookarounds are
    // ignored: another character may satisfy them
    let salts = if let Tree::Plain(_) = tree { 1 } else { 4 };
    let all =
        [3, 2, 1, 5, 8, 12, 20, 40, 80, 160, 0].into_iter().flat_map(|more| (0..salts).map(move |next| (more, next)));
    for (more, next) in all {
        let mut maker = PatternGenerator { more, next: salt + next, ..PatternGenerator::default() };
        if maker.write_tree(&tree) {
            let length = maker.out.chars().count();
            if length >= least && most.is_none_or(|most| length <= most) && !found.contains(&maker.out) {
                found.push(maker.out);
            }
        }
    }
    found
}

/// Returns a random string that matches a pattern.
pub(crate) fn random_of_pattern(pattern: &str, rng: &mut Rng) -> Option<String> {
    let tree = Tree::of(pattern)?;
    let mut maker = PatternGenerator { more: 4, rng: Some(rng.clone()), ..PatternGenerator::default() };
    let written = maker.write_tree(&tree);
    rng.throw();
    written.then_some(maker.out)
}

/// Generates a string that matches a pattern. Ignores lookarounds.
#[derive(Default)]
struct PatternGenerator {
    /// The number of repetitions beyond the minimum.
    more: u32,
    /// The index of the next character of a class. It advances, so that a string doesn't repeat one character.
    next: usize,
    out: String,
    /// The generator that makes the choices for random strings.
    rng: Option<Rng>,
    /// The texts that groups have matched, by number, for backreferences.
    captured: HashMap<usize, String>,
}

impl PatternGenerator {
    fn write_tree(&mut self, tree: &Tree) -> bool {
        match tree {
            Tree::Plain(hir) => self.write(hir),
            Tree::Backtracking(expr, groups) => self.write_expr(expr, groups),
        }
    }

    fn write_expr(&mut self, expr: &Expr, groups: &HashMap<*const Expr, usize>) -> bool {
        if self.out.len() > LONGEST {
            return false;
        }
        match expr {
            Expr::Empty | Expr::Assertion(_) | Expr::LookAround(..) => true,
            Expr::Any { .. } => {
                self.out.push('a');
                true
            }
            Expr::Literal { val, .. } => {
                self.out.push_str(val);
                true
            }
            Expr::Concat(parts) => parts.iter().all(|part| self.write_expr(part, groups)),
            Expr::Alt(parts) => {
                let start = self.out.len();
                let first = self.rng.as_mut().map_or(0, |rng| rng.below(parts.len()));
                parts[first..].iter().chain(&parts[..first]).any(|part| {
                    self.out.truncate(start);
                    self.write_expr(part, groups)
                })
            }
            Expr::Group(inner) => {
                let start = self.out.len();
                let written = self.write_expr(inner, groups);
                if let Some(number) = groups.get(&std::ptr::from_ref(expr)) {
                    self.captured.insert(*number, self.out.get(start..).unwrap_or_default().to_owned());
                }
                written
            }
            Expr::AtomicGroup(inner) => self.write_expr(inner, groups),
            Expr::Repeat { child, lo, hi, .. } => {
                let least = u32::try_from(*lo).unwrap_or(u32::MAX);
                let times = self.times(least, u32::try_from(*hi).unwrap_or(u32::MAX));
                (0..times).all(|_| self.write_expr(child, groups))
            }
            Expr::Delegate { inner, .. } => regex_syntax::Parser::new().parse(inner).is_ok_and(|hir| self.write(&hir)),
            Expr::Conditional { condition, true_branch, false_branch } => {
                let is_so = !matches!(&**condition, Expr::BackrefExistsCondition { group, .. } if !self.captured.contains_key(group));
                self.write_expr(if is_so { true_branch } else { false_branch }, groups)
            }
            // a group that matched nothing is empty
            Expr::Backref { group, .. } => {
                self.out.push_str(&self.captured.get(group).cloned().unwrap_or_default());
                true
            }
            _ => false,
        }
    }

    /// Returns the number of repetitions to generate.
    fn times(&mut self, least: u32, most: u32) -> u32 {
        let more = match &mut self.rng {
            Some(rng) => rng.below(self.more as usize + 1) as u32,
            None => self.more,
        };
        // the bound of 200 limits nested repetitions
        least.saturating_add(more).min(most.max(least)).min(least.max(200))
    }

    fn write(&mut self, hir: &Hir) -> bool {
        if self.out.len() > LONGEST {
            return false;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0).is_ok_and(|text| {
                self.out.push_str(text);
                true
            }),
            HirKind::Class(class) => self.class(class),
            HirKind::Repetition(repetition) => {
                let times = self.times(repetition.min, repetition.max.unwrap_or(u32::MAX));
                (0..times).all(|_| self.write(&repetition.sub))
            }
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.write(part)),
            HirKind::Alternation(parts) => {
                let start = self.out.len();
                let first = self.rng.as_mut().map_or(0, |rng| rng.below(parts.len()));
                parts[first..].iter().chain(&parts[..first]).any(|part| {
                    self.out.truncate(start);
                    self.write(part)
                })
            }
        }
    }

    fn class(&mut self, class: &Class) -> bool {
        let Class::Unicode(class) = class else { return false };
        if let Some(rng) = &mut self.rng {
            let range = class.ranges().get(rng.below(class.ranges().len().min(8)));
            let drawn = range.and_then(|range| {
                let (start, end) = (u32::from(range.start()), u32::from(range.end()));
                char::from_u32(start + rng.below((end - start) as usize + 1) as u32)
            });
            self.out.extend(drawn);
            return drawn.is_some();
        }
        let has = |c: char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c));
        let nice = || ('a'..='z').chain('0'..='9').chain('A'..='Z').filter(|c| has(*c));
        let of_letters = nice().take_while(|c| c.is_ascii_lowercase()).count();
        // letters and digits are not mixed if one of them suffices
        let count = if of_letters > 0 { of_letters } else { nice().count() };
        let picked = match count {
            0 => [' ', '-', '_', '.', '!']
                .into_iter()
                .find(|c| has(*c))
                .or_else(|| class.ranges().first().map(|it| it.start())),
            count => nice().nth(self.next % count),
        };
        self.next += 1;
        picked.is_some_and(|c| {
            self.out.push(c);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_with_backreferences_and_lookarounds_has_a_text() {
        for pattern in [
            r"^(?<y>\d{4})-\k<y>$",
            r"^(a|b)(c)?\1\2$",
            r"^(?!0)\d{3}$",
            r"^(?:(?<a>x)|(?<b>y)){2}\k<b>$",
            r"^(\w+) \1$",
        ] {
            let made = of_pattern(pattern, 0, None, 0);
            assert!(made.iter().any(|text| matches(pattern, text)), "{pattern}: {made:?}");
            let mut rng = Rng::new(7);
            let thrown: Vec<_> = (0..20).filter_map(|_| random_of_pattern(pattern, &mut rng)).collect();
            assert!(thrown.iter().any(|text| matches(pattern, text)), "{pattern}: {thrown:?}");
        }
    }
}
