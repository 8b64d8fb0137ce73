//! Texts that match a pattern, and whether one does.

use std::cell::RefCell;
use std::collections::HashMap;

use fancy_regex::Expr;
use regex_syntax::hir::{Class, Hir, HirKind};
use twyla_build::compare::Pattern;

use crate::dice::Dice;

/// Longer than this no string is made.
pub(crate) const LONGEST: usize = 100_000;

/// Whether a text has a match of an ECMA pattern in it.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    with(pattern, |pattern| pattern.is_match(text) == Some(true))
}

/// Does something with a pattern, which is read once.
fn with<T>(pattern: &str, work: impl FnOnce(&Pattern) -> T) -> T {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Pattern>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| work(known.entry(pattern.to_owned()).or_insert_with(|| Pattern::new(pattern))))
}

/// A pattern as a tree.
enum Tree {
    Plain(Hir),
    /// One with lookarounds or backreferences, and the numbers of its groups.
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

/// The numbers of the groups in a tree: they are counted as they begin.
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

/// Texts that match a pattern, a few lengths of them.
pub(crate) fn of_pattern(pattern: &str, least: usize, most: Option<usize>, salt: usize) -> Vec<String> {
    let Some(tree) = Tree::of(pattern) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    // repeated a few times looks like something; then more often, for the length, and then as seldom as may be
    // a lookaround isn't followed: another character may be one that it allows
    let salts = if let Tree::Plain(_) = tree { 1 } else { 4 };
    let all =
        [3, 2, 1, 5, 8, 12, 20, 40, 80, 160, 0].into_iter().flat_map(|more| (0..salts).map(move |next| (more, next)));
    for (more, next) in all {
        let mut maker = Maker { more, next: salt + next, ..Maker::default() };
        if maker.write_tree(&tree) {
            let length = maker.out.chars().count();
            if length >= least && most.is_none_or(|most| length <= most) && !found.contains(&maker.out) {
                found.push(maker.out);
            }
        }
    }
    found
}

/// A text that a pattern matches, as dice decide.
pub(crate) fn random_of_pattern(pattern: &str, dice: &mut Dice) -> Option<String> {
    let tree = Tree::of(pattern)?;
    let mut maker = Maker { more: 4, dice: Some(dice.clone()), ..Maker::default() };
    let written = maker.write_tree(&tree);
    dice.throw();
    written.then_some(maker.out)
}

/// Writes a text that a pattern matches, if no lookaround says otherwise.
#[derive(Default)]
struct Maker {
    /// How often more than it must something is repeated.
    more: u32,
    /// Which of a class's characters is next: they take turns, so that a text isn't one character over and over.
    next: usize,
    out: String,
    /// What decides instead.
    dice: Option<Dice>,
    /// What the groups have matched that something may refer to, by their numbers.
    captured: HashMap<usize, String>,
}

impl Maker {
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
                let first = self.dice.as_mut().map_or(0, |dice| dice.below(parts.len()));
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
            // of a group that matched nothing it is nothing
            Expr::Backref { group, .. } => {
                self.out.push_str(&self.captured.get(group).cloned().unwrap_or_default());
                true
            }
            _ => false,
        }
    }

    /// How often something is repeated.
    fn times(&mut self, least: u32, most: u32) -> u32 {
        let more = match &mut self.dice {
            Some(dice) => dice.below(self.more as usize + 1) as u32,
            None => self.more,
        };
        // a nested repetition would grow beyond all bounds
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
                let first = self.dice.as_mut().map_or(0, |dice| dice.below(parts.len()));
                parts[first..].iter().chain(&parts[..first]).any(|part| {
                    self.out.truncate(start);
                    self.write(part)
                })
            }
        }
    }

    fn class(&mut self, class: &Class) -> bool {
        let Class::Unicode(class) = class else { return false };
        if let Some(dice) = &mut self.dice {
            let range = class.ranges().get(dice.below(class.ranges().len().min(8)));
            let drawn = range.and_then(|range| {
                let (start, end) = (u32::from(range.start()), u32::from(range.end()));
                char::from_u32(start + dice.below((end - start) as usize + 1) as u32)
            });
            self.out.extend(drawn);
            return drawn.is_some();
        }
        let has = |c: char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c));
        let nice = || ('a'..='z').chain('0'..='9').chain('A'..='Z').filter(|c| has(*c));
        let of_letters = nice().take_while(|c| c.is_ascii_lowercase()).count();
        // digits and letters are not mixed where there are enough of one
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
            let mut dice = Dice::new(7);
            let thrown: Vec<_> = (0..20).filter_map(|_| random_of_pattern(pattern, &mut dice)).collect();
            assert!(thrown.iter().any(|text| matches(pattern, text)), "{pattern}: {thrown:?}");
        }
    }
}
