//! Random strings and numbers.

use serde_json::{Number, Value};

use crate::pattern;
use crate::rng::Rng;
use crate::text::{self, TextConstraints};

/// The alphabet of unconstrained strings; characters that often cause bugs are over-represented.
const CHARACTERS: &[char] = &[
    'a', 'b', 'c', 'e', 'i', 'k', 'm', 'n', 'o', 'r', 's', 't', 'u', 'z', 'A', 'M', 'Z', '0', '1', '7', '9', ' ', ' ',
    '-', '_', '.', ',', '\'', '"', '\\', '/', '\n', '\t', '<', '&', '%', '{', '\u{0}', '\u{7f}', 'ß', 'ñ', 'é', 'Ω',
    '中', '\u{301}', '\u{2028}', '\u{202e}', '🦀',
];
/// The length beyond which characters are only added to satisfy a minimum.
const LENGTH: usize = 24;

/// Returns a random string; `None` if the attempt fails, so that the caller generates a readable string.
pub(crate) fn text(rules: &TextConstraints<'_>, rng: &mut Rng) -> Option<String> {
    if let Some(format) = rules.format {
        return of_format(format, rng).filter(|text| text::keeps(text, rules));
    }
    let most = rules.most.unwrap_or(usize::MAX);
    let length = rng.between(rules.least, most.min(rules.least.saturating_add(LENGTH)));
    match &rules.patterns[..] {
        [] if length <= 4 * LENGTH + rules.least => {
            Some((0..length).map(|_| CHARACTERS[rng.below(CHARACTERS.len())]).collect())
        }
        [] => None,
        [first, ..] => pattern::random_of_pattern(first, rng).filter(|text| text::keeps(text, rules)),
    }
}

fn of_format(format: &str, rng: &mut Rng) -> Option<String> {
    let mut number = |least: usize, most: usize| rng.between(least, most);
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
            let (high, low) = (rng.throw(), rng.throw());
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

/// The constraints of a number.
pub(crate) struct NumberConstraints<'a> {
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    pub(crate) whole: bool,
    /// The number must be a multiple of each of these factors.
    pub(crate) factors: &'a [f64],
}

/// The largest integer that is generated. It is below 2^53, beyond which an `f64` can't represent every integer.
const EXACT: f64 = 9.0e15;

/// Returns a random number within the bounds, ends included, then rounded to an integer or to a multiple of the first
/// factor. `None` if the result isn't finite.
pub(crate) fn number(range: &NumberConstraints<'_>, rng: &mut Rng) -> Option<Value> {
    // most random numbers are small, some as large as possible
    let reach = [10.0, 1000.0, 1e6, EXACT][rng.below(4)];
    let (low, high) = match (range.low, range.high) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low + reach),
        (None, Some(high)) => (high - reach, high),
        (None, None) => (-reach, reach),
    };
    let (low, high) = (low.max(-EXACT), high.min(EXACT));
    let part = match rng.below(8) {
        0 => 0.0,
        1 => 1.0,
        _ => (rng.throw() >> 11) as f64 / (1u64 << 53) as f64,
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
            |seed| Vec::from_iter(std::iter::repeat_n((), 400).scan(Rng::new(seed), |rng, ()| Some(rng.below(6))));
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        assert!((0..6).all(|side| throws(7).contains(&side)));
        let mut rng = Rng::new(1);
        let between = Vec::from_iter((0..200).map(|_| rng.between(3, 5)));
        assert!([3, 4, 5].iter().all(|it| between.contains(it)) && between.iter().all(|it| (3..=5).contains(it)));
    }

    #[test]
    fn texts_and_numbers_are_in_their_range() {
        let mut rng = Rng::new(3);
        for _ in 0..500 {
            let rules = TextConstraints { least: 2, most: Some(5), ..TextConstraints::default() };
            assert!((2..=5).contains(&text(&rules, &mut rng).unwrap().chars().count()));
            let range = NumberConstraints { low: Some(-3.0), high: Some(12.0), whole: true, factors: &[] };
            assert!((-3..=12).contains(&number(&range, &mut rng).unwrap().as_i64().unwrap()));
            let range = NumberConstraints { low: None, high: None, whole: false, factors: &[0.5] };
            let value = number(&range, &mut rng).unwrap().as_f64().unwrap();
            assert_eq!((value / 0.5).fract(), 0.0);
        }
        let rules = TextConstraints { patterns: vec!["^[A-Z]{2}\\d{1,3}$"], ..TextConstraints::default() };
        let made = Vec::from_iter((0..50).filter_map(|_| text(&rules, &mut rng)));
        assert!(made.len() > 40 && made.iter().any(|it| it.len() != made[0].len()), "{made:?}");
    }
}
