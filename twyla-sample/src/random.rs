//! Random choices: how many, which, and texts and numbers.

use serde_json::{Number, Value};

use crate::dice::Dice;
use crate::pattern;
use crate::text::{self, Rules};

/// Characters that texts have where nothing says which: those that go wrong somewhere are more frequent than in life.
const CHARACTERS: &[char] = &[
    'a', 'b', 'c', 'e', 'i', 'k', 'm', 'n', 'o', 'r', 's', 't', 'u', 'z', 'A', 'M', 'Z', '0', '1', '7', '9', ' ', ' ',
    '-', '_', '.', ',', '\'', '"', '\\', '/', '\n', '\t', '<', '&', '%', '{', '\u{0}', '\u{7f}', 'ß', 'ñ', 'é', 'Ω',
    '中', '\u{301}', '\u{2028}', '\u{202e}', '🦀',
];
/// More characters than these are made only where they must.
const LENGTH: usize = 24;

/// A random text; none where a nice one must do.
pub(crate) fn text(rules: &Rules<'_>, dice: &mut Dice) -> Option<String> {
    if let Some(format) = rules.format {
        return of_format(format, dice).filter(|text| text::keeps(text, rules));
    }
    let most = rules.most.unwrap_or(usize::MAX);
    let length = dice.between(rules.least, most.min(rules.least.saturating_add(LENGTH)));
    match &rules.patterns[..] {
        [] if length <= 4 * LENGTH + rules.least => {
            Some((0..length).map(|_| CHARACTERS[dice.below(CHARACTERS.len())]).collect())
        }
        [] => None,
        [first, ..] => pattern::random_of_pattern(first, dice).filter(|text| text::keeps(text, rules)),
    }
}

fn of_format(format: &str, dice: &mut Dice) -> Option<String> {
    let mut number = |least: usize, most: usize| dice.between(least, most);
    let date = format!("{:04}-{:02}-{:02}", number(1970, 2099), number(1, 12), number(1, 28));
    let zone = ["Z", "+00:00", "+05:30", "-08:00"][number(0, 3)];
    let fraction = ["", "", ".5", ".123456"][number(0, 3)];
    let time = format!("{:02}:{:02}:{:02}{fraction}{zone}", number(0, 23), number(0, 59), number(0, 59));
    let word = ["ada", "bob", "x", "a-b", "q7"][number(0, 4)];
    Some(match format {
        "date" => date,
        "time" => time,
        "date-time" => format!("{date}T{time}"),
        "duration" => format!("P{}DT{}H{}M", number(0, 40), number(0, 23), number(0, 59)),
        "email" | "idn-email" => format!("{word}{}@example.com", number(0, 99)),
        "hostname" | "idn-hostname" => format!("{word}{}.example", number(0, 99)),
        "ipv4" => format!("{}.{}.{}.{}", number(0, 255), number(0, 255), number(0, 255), number(0, 255)),
        "ipv6" => format!("2001:db8::{:x}:{:x}", number(0, 0xffff), number(0, 0xffff)),
        "uri" | "iri" | "uri-reference" | "iri-reference" => {
            format!("https://example.com/{word}/{}?q={}", number(0, 99), number(0, 9))
        }
        "uuid" => {
            let (high, low) = (dice.throw(), dice.throw());
            format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                high >> 32,
                (high >> 16) & 0xffff,
                high & 0xfff,
                low >> 52,
                low & 0xffff_ffff_ffff
            )
        }
        "json-pointer" => format!("/{word}/{}", number(0, 9)),
        _ => return None,
    })
}

/// What a number is held to.
pub(crate) struct Range<'a> {
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    pub(crate) whole: bool,
    /// Of which it is a multiple.
    pub(crate) factors: &'a [f64],
}

/// Whole numbers beyond this are not all there as a double.
const EXACT: f64 = 9.0e15;

/// A random number in that range, its ends included; none where a nice one must do.
pub(crate) fn number(range: &Range<'_>, dice: &mut Dice) -> Option<Value> {
    // most are small, some are as large as they may be
    let reach = [10.0, 1000.0, 1e6, EXACT][dice.below(4)];
    let (low, high) = match (range.low, range.high) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low + reach),
        (None, Some(high)) => (high - reach, high),
        (None, None) => (-reach, reach),
    };
    let (low, high) = (low.max(-EXACT), high.min(EXACT));
    let part = match dice.below(8) {
        0 => 0.0,
        1 => 1.0,
        _ => (dice.throw() >> 11) as f64 / (1u64 << 53) as f64,
    };
    let mut value = low + (high - low) * part;
    match range.factors {
        [] if range.whole => value = value.round(),
        [] => value = (value * 1000.0).round() / 1000.0,
        [factor, ..] => value = (value / factor).round() * factor,
    }
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_are_the_same_for_the_same_seed_and_reach_everything() {
        let throws =
            |seed| Vec::from_iter(std::iter::repeat_n((), 400).scan(Dice::new(seed), |dice, ()| Some(dice.below(6))));
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        assert!((0..6).all(|side| throws(7).contains(&side)));
        let mut dice = Dice::new(1);
        let between = Vec::from_iter((0..200).map(|_| dice.between(3, 5)));
        assert!([3, 4, 5].iter().all(|it| between.contains(it)) && between.iter().all(|it| (3..=5).contains(it)));
    }

    #[test]
    fn texts_and_numbers_are_in_their_range() {
        let mut dice = Dice::new(3);
        for _ in 0..500 {
            let rules = Rules { least: 2, most: Some(5), ..Rules::default() };
            assert!((2..=5).contains(&text(&rules, &mut dice).unwrap().chars().count()));
            let range = Range { low: Some(-3.0), high: Some(12.0), whole: true, factors: &[] };
            assert!((-3..=12).contains(&number(&range, &mut dice).unwrap().as_i64().unwrap()));
            let range = Range { low: None, high: None, whole: false, factors: &[0.5] };
            let value = number(&range, &mut dice).unwrap().as_f64().unwrap();
            assert_eq!((value / 0.5).fract(), 0.0);
        }
        let rules = Rules { patterns: vec!["^[A-Z]{2}\\d{1,3}$"], ..Rules::default() };
        let made = Vec::from_iter((0..50).filter_map(|_| text(&rules, &mut dice)));
        assert!(made.len() > 40 && made.iter().any(|it| it.len() != made[0].len()), "{made:?}");
    }
}
