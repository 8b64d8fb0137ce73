//! Searches for a number between two limits that is a multiple of some factors and not of others, and in one set and not
//! in another.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use num_bigint::BigInt;

use super::doubles;
use super::{Answer, Obstacle};
use crate::compare::formula::{Atom, Formula, Formulas, Lit};
use crate::compare::language::Budget;
use crate::decimal::Decimal;

/// The maximum number of multiples to try, in each direction.
const TRIED: usize = 5_000;
/// The maximum number of multiples to try, in each direction, to decide whether an atom holds for all numbers or for
/// none.
const TRIED_SHORTLY: usize = 64;

/// The maximum size of two factors whose common multiple is computed, in words of 64 bits.
const MOST_WORDS: u64 = 256;
/// The number of operations on words per step.
const OPERATIONS: u64 = 256;

/// A bound, and whether it is exclusive; `None` without a bound.
type NumberBound = Option<(Decimal, bool)>;

/// The assumptions about a number.
#[derive(Clone, Debug, Default)]
pub(in crate::compare) struct Numbers {
    low: NumberBound,
    high: NumberBound,
    /// The number is a multiple of this one.
    factor: Option<Decimal>,
    /// The number is a multiple of none of these.
    not_of: Vec<Decimal>,
    /// The number is one of these.
    among: Option<BTreeSet<Decimal>>,
    /// The number differs from all of these.
    not: BTreeSet<Decimal>,
    /// `true`: an `f64` represents the number exactly as written; `false`: it doesn't; `None`: both are allowed.
    double: Option<bool>,
    /// Why the factors weren't combined. If set, nothing is known about the number.
    given_up: Option<Obstacle>,
}

impl Numbers {
    /// Returns the assumptions that the atoms make; `None` if they contradict each other.
    pub(super) fn new(formulas: &Formulas, atoms: &BTreeSet<Lit>, budget: &mut Budget) -> Option<Self> {
        let mut numbers = Self::default();
        for lit in atoms {
            if let Formula::Atom(atom) = formulas.get(*lit) {
                numbers.add(atom, lit.is_negated(), budget)?;
            }
        }
        Some(numbers)
    }

    fn add(&mut self, atom: &Atom, negated: bool, budget: &mut Budget) -> Option<()> {
        match (atom, negated) {
            (Atom::AtLeast { limit, exclusive }, false) => raise(&mut self.low, limit, *exclusive),
            (Atom::AtLeast { limit, exclusive }, true) => lower(&mut self.high, limit, !exclusive),
            (Atom::AtMost { limit, exclusive }, false) => lower(&mut self.high, limit, *exclusive),
            (Atom::AtMost { limit, exclusive }, true) => raise(&mut self.low, limit, !exclusive),
            (Atom::MultipleOf(factor), false) => {
                self.factor = Some(match self.factor.take() {
                    Some(known) => self.combined(known, factor, budget),
                    None => factor.clone(),
                });
            }
            (Atom::MultipleOf(factor), true) => self.not_of.push(factor.clone()),
            (Atom::NumberIn(set), false) => {
                let set: BTreeSet<Decimal> = set.iter().cloned().collect();
                self.among = Some(match self.among.take() {
                    Some(known) => known.intersection(&set).cloned().collect(),
                    None => set,
                });
            }
            (Atom::NumberIn(set), true) => self.not.extend(set.iter().cloned()),
            (Atom::Double, negated) if self.double == Some(negated) => return None,
            (Atom::Double, negated) => self.double = Some(!negated),
            _ => {}
        }
        Some(())
    }

    /// Returns the common multiple of two factors, or gives up if that takes too long.
    fn combined(&mut self, known: Decimal, factor: &Decimal, budget: &mut Budget) -> Decimal {
        let words = known.words() + factor.words();
        if words > MOST_WORDS {
            self.given_up = self.given_up.or(Some(Obstacle::Factors));
        } else if !budget.take(words * words / OPERATIONS) {
            self.given_up = self.given_up.or(Some(Obstacle::Steps));
        }
        if self.given_up.is_some() { known } else { known.common_multiple(factor) }
    }

    /// Returns the number of steps that one look at a number costs; 0 for numbers of ordinary length.
    fn cost(&self) -> u64 {
        let bounds = [&self.low, &self.high].into_iter().flatten().map(|(bound, _)| bound);
        let words = bounds.chain(&self.factor).chain(&self.not_of).map(Decimal::words).max().unwrap_or(1);
        let factors = 1 + u64::try_from(self.not_of.len()).unwrap_or(u64::MAX);
        words.saturating_mul(factors) / OPERATIONS
    }

    fn is_within(&self, number: &Decimal) -> bool {
        self.low.as_ref().is_none_or(|(low, exclusive)| number > low || !exclusive && number == low)
            && self.high.as_ref().is_none_or(|(high, exclusive)| number < high || !exclusive && number == high)
    }

    fn fits(&self, number: &Decimal) -> bool {
        self.is_within(number)
            && self.factor.as_ref().is_none_or(|factor| number.is_multiple_of(factor))
            && !self.not_of.iter().any(|factor| number.is_multiple_of(factor))
            && self.among.as_ref().is_none_or(|among| among.contains(number))
            && !self.not.contains(number)
            && self.double.is_none_or(|double| number.is_double() == double)
    }

    /// Searches for a number.
    pub(super) fn find(&self, budget: &mut Budget) -> Answer {
        let answer = self.look(TRIED, budget);
        budget.take(1);
        answer
    }

    /// Returns whether an atom holds for all numbers that satisfy the assumptions (true) or for none of them (false);
    /// `None` if unknown.
    pub(super) fn tell(&self, atom: &Atom, budget: &mut Budget) -> Option<bool> {
        let mut empty = |negated: bool| {
            let mut more = self.clone();
            more.add(atom, negated, budget).is_none() || more.look(TRIED_SHORTLY, budget).is_nothing()
        };
        if empty(true) {
            return Some(true);
        }
        empty(false).then_some(false)
    }

    fn look(&self, tried: usize, budget: &mut Budget) -> Answer {
        if let Some(obstacle) = self.given_up {
            return Answer::Unknown(obstacle);
        }
        if self.double != Some(true) {
            return self.look_within(tried, budget);
        }
        // between two `f64` values there are limits, but no values
        let bound = |bound: &NumberBound, up| match bound {
            Some((limit, exclusive)) => doubles::nearest(limit, *exclusive, up).map(|limit| Some((limit, false))),
            None => Some(None),
        };
        match (bound(&self.low, true), bound(&self.high, false)) {
            (Some(low), Some(high)) => Self { low, high, ..self.clone() }.look_within(tried, budget),
            _ => Answer::Nothing,
        }
    }

    fn look_within(&self, tried: usize, budget: &mut Budget) -> Answer {
        if let Some(among) = &self.among {
            if !budget.take(self.cost().saturating_mul(among.len() as u64)) {
                return Answer::Unknown(Obstacle::Steps);
            }
            let mut fitting = among.iter().filter(|number| self.fits(number)).peekable();
            if fitting.peek().is_none() {
                return Answer::Nothing;
            }
            return self.choose(fitting);
        }
        match (&self.low, &self.high) {
            (Some((low, _)), Some((high, _))) if low > high => return Answer::Nothing,
            (Some((low, _)), Some((high, _))) if low == high => {
                return match self.fits(low) {
                    true => self.choose(std::iter::once(low)),
                    false => Answer::Nothing,
                };
            }
            _ => {}
        }
        // a number that no `f64` represents is an integer
        let one = Decimal::from(1);
        let factor = match (&self.factor, self.double) {
            (Some(factor), Some(false)) => Some(factor.common_multiple(&one)),
            (None, Some(false)) => Some(one),
            (factor, _) => factor.clone(),
        };
        match factor {
            Some(factor) => self.among_multiples(&factor, tried, budget),
            None => {
                let points = self.points();
                if !budget.take(self.cost().saturating_mul(points.len() as u64)) {
                    return Answer::Unknown(Obstacle::Steps);
                }
                // between two different bounds there is always a number outside of all sets of multiples, so the answer
                // isn't `Nothing`
                self.choose(points.into_iter().filter(|point| self.fits(point)))
            }
        }
    }

    fn among_multiples(&self, factor: &Decimal, tried: usize, budget: &mut Budget) -> Answer {
        let cost = self.cost();
        // in this case every multiple of `factor` is also a multiple of an excluded factor
        if self.not_of.iter().any(|not| factor.is_multiple_of(not)) {
            return Answer::Nothing;
        }
        let from = self.low.as_ref().map(|(low, exclusive)| {
            let first = low.ceil_by(factor);
            if *exclusive && factor.times(&first) == *low { first + 1 } else { first }
        });
        let to = self.high.as_ref().map(|(high, exclusive)| {
            let last = high.floor_by(factor);
            if *exclusive && factor.times(&last) == *high { last - 1 } else { last }
        });
        if let (Some(from), Some(to)) = (&from, &to)
            && from > to
        {
            return Answer::Nothing;
        }
        let mut starts = vec![BigInt::from(0)];
        if self.double == Some(false) {
            // an `f64` represents every integer that is closer to zero
            let first = Decimal::from((1_i64 << 53) + 1).ceil_by(factor);
            if to.as_ref().is_some_and(|to| *to < first) && from.as_ref().is_some_and(|from| *from > -&first) {
                return Answer::Nothing;
            }
            starts = vec![first.clone(), -first];
        }
        let (mut other, mut unwritten, mut complete) = (None, false, true);
        for start in starts {
            let mut ended = false;
            // start at the nearest value within the bounds, and go in both directions
            let mut start = start;
            if let Some(from) = from.as_ref().filter(|from| **from > start) {
                start = from.clone();
            }
            if let Some(to) = to.as_ref().filter(|to| **to < start) {
                start = to.clone();
            }
            let within = |count: &BigInt| {
                from.as_ref().is_none_or(|from| count >= from) && to.as_ref().is_none_or(|to| count <= to)
            };
            for distance in 0..tried {
                let (up, down) = (&start + distance, &start - distance);
                let ways = [Some(up), Some(down).filter(|_| distance > 0)];
                let mut any = false;
                for count in ways.into_iter().flatten().filter(within) {
                    if !budget.take(cost) {
                        return Answer::Unknown(Obstacle::Steps);
                    }
                    any = true;
                    let number = factor.times(&count);
                    if self.fits(&number) {
                        match number.number() {
                            Some(found) if self.is_preferred(&number) => return Answer::value(found),
                            Some(found) => other = other.or(Some(found)),
                            None => unwritten = true,
                        }
                    }
                }
                if !any {
                    ended = true;
                    break;
                }
            }
            complete &= ended;
        }
        if let Some(other) = other {
            return Answer::value(other);
        }
        if complete && !unwritten {
            return Answer::Nothing;
        }
        // far from zero most integers can't be represented, but round ones can
        let nice = self.points().into_iter().map(|point| factor.times(&point.floor_by(factor)));
        self.choose(nice.filter(|number| self.fits(number)))
    }

    /// Returns the first of these numbers that can be written, a preferred one if there is one.
    fn choose<D: Borrow<Decimal>>(&self, fitting: impl Iterator<Item = D>) -> Answer {
        let mut other = None;
        for number in fitting {
            let number: &Decimal = number.borrow();
            match number.number() {
                Some(found) if self.is_preferred(number) => return Answer::value(found),
                found => other = other.or(found),
            }
        }
        other.map_or(Answer::Unknown(Obstacle::Number), Answer::value)
    }

    /// Returns whether generated code writes the number, so that every sender can.
    fn is_preferred(&self, number: &Decimal) -> bool {
        self.double != Some(true) || number.is_written()
    }

    /// Returns numbers to try, readable ones first: small numbers, and numbers near the bounds and between them.
    fn points(&self) -> Vec<Decimal> {
        let small = [0, 1, -1, 2, 3, -2, 5, 7, 10, 100, 1000, -10, -100].map(Decimal::from);
        let mut points: Vec<Decimal> = small.to_vec();
        points.extend(
            ["0.5", "1.5", "0.1", "0.25", "-0.5", "-1.5", "0.3", "2.7"].iter().filter_map(|text| Decimal::parse(text)),
        );
        let (low, high) = (self.low.as_ref().map(|(low, _)| low), self.high.as_ref().map(|(high, _)| high));
        points.extend(low.into_iter().chain(high).cloned());
        // fractions of the smallest excluded factor lead to numbers between its multiples
        let fine = self.not_of.iter().min().cloned().unwrap_or_else(|| Decimal::from(1));
        let fine =
            ["0.5", "0.1", "0.3", "0.07"].iter().filter_map(|text| Decimal::parse(text)).map(|part| fine.by(&part));
        let fine: Vec<Decimal> = fine.collect();
        points.extend(fine.iter().flat_map(|step| [step.clone(), -step]));
        let away = |from: &Decimal, up: bool| {
            let steps = ["1", "0.5", "2", "0.1", "10", "0.01", "3.3", "1000", "1e6"];
            let steps = steps.iter().filter_map(|text| Decimal::parse(text)).chain(fine.iter().cloned());
            steps.map(|step| from.plus(&if up { step } else { -&step })).collect::<Vec<_>>()
        };
        if let Some(low) = low {
            points.extend(away(low, true));
            points.extend(doubles::around(low));
        }
        if let Some(high) = high {
            points.extend(away(high, false));
            points.extend(doubles::around(high));
        }
        if let (Some(low), Some(high)) = (low, high) {
            let mut between = vec![low.middle(high)];
            for _ in 0..4 {
                let more: Vec<Decimal> =
                    between.iter().flat_map(|point| [low.middle(point), point.middle(high)]).take(24).collect();
                between.extend(more);
            }
            for digits in 1..17 {
                points.extend(between.iter().take(9).map(|point| point.cut(digits)));
            }
            points.extend(between);
        }
        points
    }
}

fn raise(low: &mut NumberBound, limit: &Decimal, exclusive: bool) {
    let tighter = low.as_ref().is_none_or(|(known, outside)| limit > known || limit == known && exclusive && !outside);
    if tighter {
        *low = Some((limit.clone(), exclusive));
    }
}

fn lower(high: &mut NumberBound, limit: &Decimal, exclusive: bool) {
    let tighter = high.as_ref().is_none_or(|(known, outside)| limit < known || limit == known && exclusive && !outside);
    if tighter {
        *high = Some((limit.clone(), exclusive));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(parts: &[(Atom, bool)]) -> Numbers {
        let mut numbers = Numbers::default();
        parts.iter().for_each(|(atom, negated)| numbers.add(atom, *negated, &mut unlimited()).unwrap());
        numbers
    }

    fn unlimited() -> Budget {
        Budget::of_steps(u64::MAX)
    }

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn finds_one_or_knows_that_there_is_none() {
        let least = |text: &str, exclusive| (Atom::AtLeast { limit: number(text), exclusive }, false);
        let most = |text: &str, exclusive| (Atom::AtMost { limit: number(text), exclusive }, false);
        let of = |text: &str| (Atom::MultipleOf(number(text)), false);
        let not_of = |text: &str| (Atom::MultipleOf(number(text)), true);
        let not = |texts: &[&str]| (Atom::NumberIn(texts.iter().map(|text| number(text)).collect()), true);
        for (parts, found) in [
            (vec![], Some("0")),
            (vec![least("1.5", false), of("1")], Some("2")),
            (vec![least("1", true), most("2", true), of("1")], None),
            (vec![least("1", true), most("2", true)], Some("1.5")),
            (vec![least("0.1", true), most("0.2", true), not_of("0.05"), not(&["0.12"])], Some("0.15")),
            (vec![of("2"), not_of("4"), not(&["2"])], Some("-2")),
            (vec![of("6"), not_of("3")], None),
            (vec![of("1"), not_of("1")], None),
            (vec![least("1e300", false), of("1")], Some("1e300")),
            (vec![of("0.1"), least("0", true), most("0.2", false), not(&["0.1", "0.2"])], None),
            (vec![(Atom::Double, true), most("9007199254740993", false), least("0", false)], Some("9007199254740993")),
            (vec![(Atom::Double, true), most("9007199254740992", false), least("-10", false)], None),
            (vec![(Atom::Double, false), least("9007199254740992", true), most("9007199254740993", false)], None),
            (vec![(Atom::Double, false), least("0.1", true), most("0.1000000000000000000001", false)], None),
            (vec![(Atom::Double, false), least("1152921504606846976", true), most("1152921504606847000", true)], None),
            (
                vec![(Atom::Double, false), least("1152921504606846976", true), most("1152921504606847000", false)],
                Some("1152921504606847000"),
            ),
            (
                vec![(Atom::Double, false), least("18446744073709551616", true), most("18446744073709552000", false)],
                Some("1.8446744073709552e19"),
            ),
            (vec![(Atom::Double, false), least("1152921504606846976", true)], Some("1152921504606848000")),
            (vec![(Atom::Double, false), least("1152921504606846980", false), of("1")], Some("1152921504606847232")),
            (vec![(Atom::Double, false), least("1e400", false)], None),
        ] {
            let found = found.map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
            match numbers(&parts).look(TRIED, &mut unlimited()) {
                Answer::Value(value) if parts.len() == 4 && found.is_some() => {
                    assert!(numbers(&parts).fits(&number(&value.to_string())), "{parts:?}: {value}");
                }
                Answer::Value(value) => assert_eq!(Some(&*value), found.as_ref(), "{parts:?}"),
                Answer::Nothing => assert_eq!(found, None, "{parts:?}"),
                Answer::Unknown(reason) => panic!("{parts:?}: {reason:?}"),
            }
        }
        let tell = |parts: &[(Atom, bool)], atom: &Atom| numbers(parts).tell(atom, &mut unlimited());
        assert_eq!(tell(&[least("3", false)], &Atom::AtLeast { limit: number("2"), exclusive: true }), Some(true));
        assert_eq!(tell(&[least("3", false)], &Atom::AtMost { limit: number("2"), exclusive: true }), Some(false));
        assert_eq!(tell(&[of("4")], &Atom::MultipleOf(number("2"))), Some(true));
        assert_eq!(tell(&[of("4")], &Atom::MultipleOf(number("3"))), None);
    }

    #[test]
    fn long_factors_end_a_search() {
        let of = |text: &str| (Atom::MultipleOf(number(text)), false);
        let parts: Vec<_> = (0..16).map(|index| of(&format!("1{}1e{index}", "0".repeat(4_800)))).collect();
        let found = numbers(&parts).look(TRIED, &mut unlimited());
        assert!(matches!(found, Answer::Unknown(Obstacle::Factors)), "{found:?}");
        assert_eq!(numbers(&parts).tell(&Atom::MultipleOf(number("2")), &mut unlimited()), None);
        // many factors, each with a long way to an integer
        let mut budget = Budget::of_steps(1_000);
        let mut parts = vec![of("7e-4000")];
        assert!(matches!(numbers(&parts).look(TRIED, &mut budget), Answer::Value(value) if *value == 0));
        let not = |index: u32| (Atom::MultipleOf(number(&format!("{}e-4000", 7 * index))), true);
        parts.extend((2..400).map(not));
        let found = numbers(&parts).look(TRIED, &mut budget);
        assert!(matches!(found, Answer::Unknown(Obstacle::Steps)), "{found:?}");
    }
}
