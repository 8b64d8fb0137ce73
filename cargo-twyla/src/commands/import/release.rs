//! Parses versions in file names: `1-0-0`, `v2`, `1.2.SNAPSHOT`, `v1beta1`, `2024-01-01`.

/// A version that can be ordered: by its numbers, with pre-releases before the release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release {
    numbers: Vec<u64>,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// `rc.1`, `beta2`, `SNAPSHOT`.
    Before(Vec<Word>),
    Released,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Number(u64),
    Name(String),
}

/// The separators between parts of a version, and between a name and its version.
const SEPARATORS: [char; 5] = ['.', '-', '_', '@', '+'];

/// The words for pre-releases.
const STAGES: &str = "a alpha b beta build c canary csd dev draft eap experimental m \
                      milestone nightly next pre prerelease preview rc rtm snapshot unstable wd wip";
/// The words for releases.
const RELEASED: [&str; 6] = ["final", "ga", "lts", "r", "release", "stable"];
/// The words that stand for the newest version, without a number. `snapshot` in lower case is a word for pre-releases.
const NEWEST: [&str; 3] = ["SNAPSHOT", "latest", "LATEST"];

impl Release {
    /// Parses a text that is a version and nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if NEWEST.contains(&text) {
            return Some(Self { numbers: vec![u64::MAX], stage: Stage::Released });
        }
        let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let mut numbers = Vec::new();
        let mut stage = Vec::new();
        let mut is_released = false;
        for part in digits.split(SEPARATORS) {
            // `x` stands for any number: `5.x`
            if part.eq_ignore_ascii_case("x") && !numbers.is_empty() && stage.is_empty() && !is_released {
                numbers.push(u64::MAX);
                continue;
            }
            for piece in pieces(part) {
                let lower = piece.to_ascii_lowercase();
                match piece.parse::<u64>() {
                    Ok(number) if stage.is_empty() && !is_released => numbers.push(number),
                    Ok(number) => stage.push(Word::Number(number)),
                    // `2b` is ambiguous
                    Err(_) if numbers.is_empty() || (numbers.len() == 1 && lower.len() == 1) => return None,
                    Err(_) if RELEASED.contains(&lower.as_str()) => is_released = true,
                    Err(_) if STAGES.split(' ').any(|stage| stage == lower) => stage.push(Word::Name(lower)),
                    Err(_) => return None,
                }
            }
        }
        let stage = if is_released || stage.is_empty() { Stage::Released } else { Stage::Before(stage) };
        (!numbers.is_empty()).then_some(Self { numbers, stage })
    }

    /// Returns whether a text after a name is its version, and not a part of the name as in `sha-256`.
    fn ends(name: &str, separator: char, text: &str) -> bool {
        let Some(release) = Self::parse(text) else { return false };
        text.starts_with(['v', 'V'])
            || release.numbers.len() > 1
            || matches!(separator, '.' | '@')
            || NEWEST.contains(&text)
            || is_date(text)
            // after `schema`, a single number is a version too, as in `config-schema-3`
            || name.to_ascii_lowercase().ends_with("schema")
    }
}

/// Splits a text into the name and the version as written. The name is empty if the text is only a version.
pub(super) fn split(text: &str) -> (String, Option<&str>) {
    let has_v = |text: &str| text.starts_with(['v', 'V']);
    if Release::parse(text).is_some_and(|it| it.numbers.len() > 1 || has_v(text)) || NEWEST.contains(&text) {
        return (String::new(), Some(text));
    }
    let cuts = || text.char_indices().filter(|(at, c)| *at > 0 && SEPARATORS.contains(c));
    let halves = |(at, c): (usize, char)| Some((text.get(..at)?, c, text.get(at + 1..)?));
    if let Some((name, _, version)) = cuts().filter_map(halves).find(|(name, c, rest)| Release::ends(name, *c, rest)) {
        // a version with digits is preferred to a word: the version of `bom-1.2-strict.SNAPSHOT` is `1.2-strict`
        return match NEWEST.contains(&version).then(|| split(name)) {
            Some((name, Some(numbers))) => (name, Some(numbers)),
            _ => (name.to_owned(), Some(version)),
        };
    }
    // a version inside the name, as in `bom-1.2-strict`: its numbers have dots or a `v`, and so `line-1-2-up` has none
    let starts = std::iter::once((0, None)).chain(cuts().map(|(at, c)| (at + 1, Some(c))));
    for (start, before) in starts {
        let rest = text.get(start..).unwrap_or_default();
        let is_version = |version: &str| {
            has_v(version) && Release::parse(version).is_some()
                || version.contains('.') && Release::parse(version).is_some_and(|it| it.numbers.len() > 1)
        };
        let ends = rest.char_indices().filter(|(_, c)| SEPARATORS.contains(c)).rev();
        let mut found = ends.filter_map(|(at, after)| Some((rest.get(..at)?, after, rest.get(at + 1..)?)));
        let Some((version, after, behind)) = found.find(|(version, ..)| is_version(version)) else { continue };
        let name = text.get(..start.saturating_sub(1)).unwrap_or_default();
        let (behind, _) = split(behind);
        return match before {
            None => (behind, Some(version)),
            // `shop.v1.order` keeps its domain
            Some('.') if after == '.' => (format!("{name}.{behind}"), Some(version)),
            Some(_) => (format!("{name}-{behind}"), Some(version)),
        };
    }
    (text.to_owned(), None)
}

/// Splits a text into runs of digits and of letters: `rc1` has two.
fn pieces(part: &str) -> impl Iterator<Item = &str> {
    let at = part.find(|c: char| c.is_ascii_digit() != part.starts_with(|c: char| c.is_ascii_digit()));
    let (first, rest) = part.split_at(at.unwrap_or(part.len()));
    let at = rest.find(|c: char| c.is_ascii_digit() != rest.starts_with(|c: char| c.is_ascii_digit()));
    let (second, third) = rest.split_at(at.unwrap_or(rest.len()));
    std::iter::once(first).chain([second, third].into_iter().filter(|it| !it.is_empty()))
}

/// Returns whether a number is a date: `20240101`.
fn is_date(text: &str) -> bool {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
    text.len() == 8
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (1970..2100).contains(&number(0, 4))
        && (1..=12).contains(&number(4, 6))
        && (1..=31).contains(&number(6, 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_parted_from_its_version() {
        for (text, name, version) in [
            ("order-1.2", "order", Some("1.2")),
            ("order-1.2.SNAPSHOT", "order", Some("1.2.SNAPSHOT")),
            ("order-1.2-strict.SNAPSHOT", "order-strict", Some("1.2")),
            ("order-1.2-strict", "order-strict", Some("1.2")),
            ("order.SNAPSHOT", "order", Some("SNAPSHOT")),
            ("order-latest", "order", Some("latest")),
            ("order-v2", "order", Some("v2")),
            ("order_v2", "order", Some("v2")),
            ("order.v1", "order", Some("v1")),
            ("order_1-0-0", "order", Some("1-0-0")),
            ("order_0_3", "order", Some("0_3")),
            ("order@1.0.0", "order", Some("1.0.0")),
            ("order@2", "order", Some("2")),
            ("order.52", "order", Some("52")),
            ("order-2024-01-01", "order", Some("2024-01-01")),
            ("order-20240101", "order", Some("20240101")),
            ("order-1.0.0-rc1", "order", Some("1.0.0-rc1")),
            ("order-1.0.0-rc.1", "order", Some("1.0.0-rc.1")),
            ("order-2.0.0-csd.2.beta.2018-10-10", "order", Some("2.0.0-csd.2.beta.2018-10-10")),
            ("order-1.0-draft-03", "order", Some("1.0-draft-03")),
            ("order-1.0.0+build.5", "order", Some("1.0.0+build.5")),
            ("order-1.0.0-final", "order", Some("1.0.0-final")),
            ("order-1.0b2", "order", Some("1.0b2")),
            ("order-5.x", "order", Some("5.x")),
            ("order-v1beta1", "order", Some("v1beta1")),
            ("order-schema-3", "order-schema", Some("3")),
            ("v4-order", "order", Some("v4")),
            ("1.0.0-order", "order", Some("1.0.0")),
            ("order-v2-line", "order-line", Some("v2")),
            ("order-2017.3.line", "order-line", Some("2017.3")),
            ("shop.v1.order", "shop.order", Some("v1")),
            ("shop.order-7.0.0", "shop.order", Some("7.0.0")),
            ("1.2.3", "", Some("1.2.3")),
            ("v1beta1", "", Some("v1beta1")),
            ("step-2", "step-2", None),
            ("sha-256", "sha-256", None),
            ("line-1-2-up", "line-1-2-up", None),
            ("ipv4-addr", "ipv4-addr", None),
            ("x509-certificate", "x509-certificate", None),
            ("oauth2Flow", "oauth2Flow", None),
            ("order-draft", "order-draft", None),
            ("order.draft", "order.draft", None),
            ("order-snapshot", "order-snapshot", None),
            ("order.i18n", "order.i18n", None),
            ("3d-model", "3d-model", None),
            ("icon-2x", "icon-2x", None),
            ("sha-512b", "sha-512b", None),
            ("step-2-next", "step-2-next", None),
            ("order-vat", "order-vat", None),
            ("order-20249901", "order-20249901", None),
            ("ördër-1.2-ß", "ördër-ß", Some("1.2")),
            ("1", "1", None),
            ("-", "-", None),
            ("..", "..", None),
            ("", "", None),
        ] {
            assert_eq!(split(text), (name.to_owned(), version), "{text}");
        }
    }

    #[test]
    fn versions_have_an_order() {
        let ascending = [
            "0.9",
            "1.0.0-alpha",
            "1.0.0-alpha.2",
            "1.0.0-beta2",
            "1.0.0-beta10",
            "1.0.0-rc1",
            "1.0.0",
            "1.9",
            "1.10",
            "v2beta1",
            "v2",
            "2.0-SNAPSHOT",
            "2.0",
            "5.1",
            "5.x",
            "2024-01-01",
            "2024-02",
            "latest",
        ];
        let parsed: Vec<Release> = ascending.iter().map(|it| Release::parse(it).unwrap()).collect();
        for (pair, texts) in parsed.windows(2).zip(ascending.windows(2)) {
            assert!(pair[0] < pair[1], "{texts:?}");
        }
        assert_eq!(Release::parse("1-0-0"), Release::parse("v1.0.0"));
    }
}
