//! Readable strings that satisfy their constraints.

use crate::pattern::{LONGEST, matches, of_pattern};

/// The constraints of a string.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextConstraints<'a> {
    pub(crate) name: &'a str,
    pub(crate) format: Option<&'a str>,
    pub(crate) patterns: Vec<&'a str>,
    pub(crate) least: usize,
    pub(crate) most: Option<usize>,
}

/// Returns a valid string, the most readable for `salt` 0. Each further `salt` gives another string, if there is one.
pub(crate) fn text(rules: &TextConstraints<'_>, salt: usize) -> Option<String> {
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
    // A salt above 0 asks for another text: a numbered one, if the rules allow it.
    let numbered = fitted(format!("{first} {}", salt + 1), rules).filter(|text| keeps(text, rules) && *text != first);
    Some(numbered.or_else(|| fitting.nth(salt - 1)).unwrap_or(first))
}

/// Pads or cuts a text to its length limits.
fn fitted(text: String, rules: &TextConstraints<'_>) -> Option<String> {
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

/// Returns whether a text satisfies the constraints except the format.
pub(crate) fn keeps(text: &str, rules: &TextConstraints<'_>) -> bool {
    let length = text.chars().count();
    length >= rules.least
        && rules.most.is_none_or(|most| length <= most)
        && rules.patterns.iter().all(|pattern| matches(pattern, text))
}

/// Returns texts of a format.
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

/// Returns whether a format is known.
pub(crate) fn is_format(format: &str) -> bool {
    !of_format(format).is_empty()
}

/// Returns a typical word for a property, by its name.
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
            let rules = TextConstraints { patterns: vec![pattern], ..TextConstraints::default() };
            let text = text(&rules, 0).unwrap();
            assert_eq!(text, made, "{pattern}");
            assert!(matches(pattern, &text));
        }
        let rules = TextConstraints { patterns: vec!["^x*$"], least: 70, most: Some(90), ..TextConstraints::default() };
        assert!((70..=90).contains(&text(&rules, 0).unwrap().len()));
    }

    #[test]
    fn a_text_is_as_long_as_it_must_be() {
        let of =
            |name, least, most| text(&TextConstraints { name, least, most, ..TextConstraints::default() }, 0).unwrap();
        assert_eq!(of("name", 0, None), "Ada Lovelace");
        assert_eq!(of("name", 0, Some(3)), "Ada");
        assert_eq!(of("label", 20, None).chars().count(), 20);
        assert_eq!(of("", 0, Some(0)), "");
        assert_eq!(text(&TextConstraints { least: LONGEST + 1, ..TextConstraints::default() }, 0), None);
    }
}
