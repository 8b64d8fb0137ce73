//! Strings that are good to look at, and keep their rules.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::Value;

use crate::dice::Dice;

/// What a string is held to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules<'a> {
    pub(crate) name: &'a str,
    pub(crate) format: Option<&'a str>,
    pub(crate) patterns: Vec<&'a str>,
    pub(crate) least: usize,
    pub(crate) most: Option<usize>,
}

/// Longer than this no string is made.
const LONGEST: usize = 100_000;

/// Strings that keep the rules, the best to look at first; each `salt` begins with another.
pub(crate) fn text(rules: &Rules<'_>, salt: usize) -> Option<String> {
    let mut candidates: Vec<String> = Vec::new();
    if let Some(format) = rules.format {
        candidates.extend(of_format(format).iter().map(|text| (*text).to_owned()));
    }
    let named = word(rules.name);
    if !rules.patterns.is_empty() && rules.patterns.iter().all(|pattern| matches(pattern, named)) {
        candidates.push(named.to_owned());
    }
    for pattern in &rules.patterns {
        candidates.extend(of_pattern(pattern, rules.least, rules.most, salt));
    }
    if rules.patterns.is_empty() && candidates.is_empty() {
        candidates.push(named.to_owned());
        candidates.push("some text".to_owned());
    }
    candidates.extend(["a", "1", "A", "a1", "ab", "12", "abc", ""].map(str::to_owned));
    let mut fitting = candidates.into_iter().filter_map(|text| fitted(text, rules)).filter(|text| keeps(text, rules));
    let first = fitting.next()?;
    if salt == 0 {
        return Some(first);
    }
    // another one: numbered, where that is allowed
    let numbered = fitted(format!("{first} {}", salt + 1), rules).filter(|text| keeps(text, rules) && *text != first);
    Some(numbered.or_else(|| fitting.nth(salt - 1)).unwrap_or(first))
}

/// Makes a text as long as it has to be, and no longer than it may be.
fn fitted(text: String, rules: &Rules<'_>) -> Option<String> {
    let length = text.chars().count();
    if length < rules.least {
        if rules.least > LONGEST {
            return None;
        }
        let repeated = if text.is_empty() { "x".to_owned() } else { text };
        let spaced =
            if rules.patterns.is_empty() && rules.format.is_none() { format!("{repeated} ") } else { repeated };
        return Some(spaced.chars().cycle().take(rules.least).collect::<String>().trim_end().to_owned())
            .map(|text| format!("{text:.<width$}", width = rules.least));
    }
    match rules.most {
        Some(most) if length > most => Some(text.chars().take(most).collect::<String>().trim_end().to_owned()),
        _ => Some(text),
    }
}

/// Whether a text keeps the rules but for its format.
pub(crate) fn keeps(text: &str, rules: &Rules<'_>) -> bool {
    let length = text.chars().count();
    length >= rules.least
        && rules.most.is_none_or(|most| length <= most)
        && rules.patterns.iter().all(|pattern| matches(pattern, text))
}

/// Whether a text has a match of an ECMA pattern in it.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    // one validator for each pattern: the crate's own reading of ECMA
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Option<jsonschema::Validator>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        let made = || jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).ok();
        let validator = known.entry(pattern.to_owned()).or_insert_with(made);
        validator.as_ref().is_some_and(|it| it.is_valid(&Value::from(text)))
    })
}

/// Texts of a format.
fn of_format(format: &str) -> &'static [&'static str] {
    match format {
        "date" => &["2026-01-31", "2026-02-01"],
        "time" => &["09:30:00Z"],
        "date-time" => &["2026-01-31T09:30:00Z", "2026-02-01T10:00:00Z"],
        "duration" => &["PT15M", "P1D"],
        "email" | "idn-email" => &["ada@example.com", "bob@example.com"],
        "hostname" | "idn-hostname" => &["example.com", "www.example.com"],
        "ipv4" => &["192.0.2.1", "192.0.2.2"],
        "ipv6" => &["2001:db8::1", "2001:db8::2"],
        "uri" | "iri" | "uri-reference" | "iri-reference" => &["https://example.com/", "https://example.com/a"],
        "uri-template" => &["https://example.com/{id}"],
        "uuid" => &["0192f0c1-7a3e-7c54-a5a1-2f0d8c0e7b11", "0192f0c1-7a3e-7c54-a5a1-2f0d8c0e7b12"],
        "json-pointer" => &["/a/0"],
        "relative-json-pointer" => &["0/a"],
        "regex" => &["^[a-z]+$"],
        _ => &[],
    }
}

/// Whether a format is one that is held to.
pub(crate) fn is_format(format: &str) -> bool {
    !of_format(format).is_empty()
}

/// What a property is likely to hold, by its name.
fn word(name: &str) -> &str {
    let lower = name.to_lowercase();
    let last = lower.rsplit(['_', '-', '.', ' ']).next().unwrap_or_default();
    match last {
        "name" => "Ada Lovelace",
        "user" | "username" | "login" | "owner" | "author" => "ada",
        "email" | "mail" => "ada@example.com",
        "url" | "uri" | "link" | "href" => "https://example.com/",
        "city" => "Lisbon",
        "country" => "PT",
        "street" => "Rua Augusta 1",
        "language" | "lang" | "locale" => "en",
        "currency" => "EUR",
        "phone" => "+351 210 000 000",
        "text" | "message" | "emission" | "body" | "comment" | "description" | "content" => "Hello there",
        "title" | "label" | "subject" | "heading" => "A title",
        "channel" => "web",
        "id" | "key" | "token" | "reference" | "code" | "number" | "sku" => "a1b2c3",
        "" => "some text",
        _ => name,
    }
}

/// Texts that match a pattern, a few lengths of them.
fn of_pattern(pattern: &str, least: usize, most: Option<usize>, salt: usize) -> Vec<String> {
    let Ok(translated) = jsonschema_regex::to_rust_regex(pattern) else { return Vec::new() };
    let Ok(hir) = regex_syntax::Parser::new().parse(&translated) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    // repeated a few times looks like something; then more often, for the length, and then as seldom as may be
    for more in [3, 2, 1, 5, 8, 12, 20, 40, 80, 160, 0] {
        let mut maker = Maker { more, next: salt, out: String::new(), dice: None };
        if maker.write(&hir) {
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
    let translated = jsonschema_regex::to_rust_regex(pattern).ok()?;
    let hir = regex_syntax::Parser::new().parse(&translated).ok()?;
    let mut maker = Maker { more: 4, next: 0, out: String::new(), dice: Some(dice.clone()) };
    let written = maker.write(&hir);
    dice.throw();
    written.then_some(maker.out)
}

/// Writes a text that a pattern matches.
struct Maker {
    /// How often more than it must something is repeated.
    more: u32,
    /// Which of a class's characters is next: they take turns, so that a text isn't one character over and over.
    next: usize,
    out: String,
    /// What decides instead.
    dice: Option<Dice>,
}

impl Maker {
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
                let most = repetition.max.unwrap_or(u32::MAX).max(repetition.min);
                let more = match &mut self.dice {
                    Some(dice) => dice.below(self.more as usize + 1) as u32,
                    None => self.more,
                };
                let times = repetition.min.saturating_add(more).min(most);
                // a nested repetition would grow beyond all bounds
                let times = times.min(repetition.min.max(200));
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
    fn a_pattern_has_a_text() {
        for (pattern, made) in [
            ("^[a-z]{2}$", "ab"),
            ("^[A-Z0-9]{6}$", "012345"),
            ("^ORD-\\d{4}$", "ORD-0123"),
            ("^(red|green)$", "red"),
            ("^\\p{Lu}", "A"),
            ("", "some text"),
            ("^.*$", "some text"),
            ("a+b", "aaaab"),
        ] {
            let rules = Rules { patterns: vec![pattern], ..Rules::default() };
            let text = text(&rules, 0).unwrap();
            assert_eq!(text, made, "{pattern}");
            assert!(matches(pattern, &text));
        }
        let rules = Rules { patterns: vec!["^x*$"], least: 70, most: Some(90), ..Rules::default() };
        assert!((70..=90).contains(&text(&rules, 0).unwrap().len()));
    }

    #[test]
    fn a_text_is_as_long_as_it_must_be() {
        let of = |name, least, most| text(&Rules { name, least, most, ..Rules::default() }, 0).unwrap();
        assert_eq!(of("name", 0, None), "Ada Lovelace");
        assert_eq!(of("name", 0, Some(3)), "Ada");
        assert_eq!(of("label", 20, None).chars().count(), 20);
        assert_eq!(of("", 0, Some(0)), "");
        assert_eq!(text(&Rules { least: LONGEST + 1, ..Rules::default() }, 0), None);
    }
}
