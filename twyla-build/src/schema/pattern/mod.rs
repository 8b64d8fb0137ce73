//! Patterns of ECMA-262, checked and translated to the syntax of the crates that match them.

mod annex_b;
mod cursor;
mod groups;
mod loops;
mod translator;

use std::borrow::Cow;

use jsonschema_regex::is_valid_ecma_regex;

pub(crate) use annex_b::{LooseSyntax, SyntaxError};
use groups::refers;
pub(crate) use groups::{group_end, has_alternatives};
use translator::Translator;

/// Size limit of a compiled pattern, in bytes, as in the runtime. Nested counts may exceed it.
const SIZE_LIMIT: usize = 1 << 21;

/// A pattern in the syntax of the crate that matches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Translated {
    /// The `regex` crate.
    Plain(String),
    /// The `fancy-regex` crate, for a pattern with a lookaround or a backreference.
    Backtracking(String),
}

/// The reason why a pattern can't be translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Untranslated {
    /// The text isn't a pattern; the error with its place, if known.
    NoPattern(Option<SyntaxError>),
    /// The crates don't support the pattern: the modifier `m`, some lookbehinds, or a size beyond the limit.
    Beyond,
}

/// A pattern that ECMA-262 accepts only without the flag `u`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) loose: LooseSyntax,
    /// The pattern rewritten so that it is valid with the flag `u` and matches the same strings.
    pub(crate) accepted: String,
}

/// Checks that a pattern can be matched at run time, by compiling it. Returns the rewritten pattern if it isn't valid
/// with the flag `u`.
pub(crate) fn check(pattern: &str) -> Result<Option<Rewritten>, Untranslated> {
    let mut taken = None;
    if !is_valid_ecma_regex(pattern) {
        let found = annex_b::accepted(pattern).map_err(|refusal| Untranslated::NoPattern(Some(refusal)))?;
        let found = found.filter(|it| is_valid_ecma_regex(&it.pattern)).ok_or(Untranslated::NoPattern(None))?;
        taken = Some(Rewritten { loose: found.loose, accepted: found.pattern });
    }
    let compiles = match translate(pattern).ok_or(Untranslated::Beyond)? {
        Translated::Plain(out) => regex::RegexBuilder::new(&out).size_limit(SIZE_LIMIT).build().is_ok(),
        Translated::Backtracking(out) => {
            fancy_regex::RegexBuilder::new(&out).delegate_size_limit(SIZE_LIMIT).build().is_ok()
        }
    };
    if compiles { Ok(taken) } else { Err(Untranslated::Beyond) }
}

/// Returns the pattern in the syntax with the flag `u`; `None` if it isn't valid without the flag either.
pub(crate) fn with_flag(pattern: &str) -> Option<Cow<'_, str>> {
    if is_valid_ecma_regex(pattern) {
        return Some(Cow::Borrowed(pattern));
    }
    annex_b::accepted(pattern).ok()?.map(|it| Cow::Owned(it.pattern))
}

/// Translates a pattern of ECMA-262, with the flag `u` or by Annex B without it, to the syntax of Rust's crates. It succeeds if
/// `check` does.
pub(crate) fn translate(pattern: &str) -> Option<Translated> {
    let with_flag = with_flag(pattern)?;
    let pattern = match refers(&with_flag) {
        true => Cow::Owned(loops::unrolled(&with_flag)?),
        false => with_flag,
    };
    let pattern = &*pattern;
    let mut translator = Translator::new(pattern);
    translator.pattern()?;
    if translator.backtracking {
        // The pattern needs backtracking: translate it for `fancy_regex`.
        translator = Translator::backtracking(pattern);
        translator.pattern()?;
    }
    let Translator { out, backtracking, .. } = translator;
    Some(if backtracking { Translated::Backtracking(out) } else { Translated::Plain(out) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    /// Whether a text has a match; `None` if the pattern can't be translated.
    fn matches(pattern: &str, text: &str) -> Option<bool> {
        check(pattern).ok()?;
        Some(match translate(pattern)? {
            Translated::Plain(translated) => regex::Regex::new(&translated).unwrap().is_match(text),
            Translated::Backtracking(translated) => {
                fancy_regex::Regex::new(&translated).unwrap().is_match(text).unwrap()
            }
        })
    }

    #[test]
    fn means_what_ecma_262_means() {
        for (pattern, good, bad) in [
            (r"^\d\w\s$", "1_\u{FEFF}", "٣a "),
            (r"^\D\W\S$", "٣é.", "1é."),
            (r"^[\d\s]+$", "1\u{A0}2", "٣"),
            (r"^[^\d]$", "٣", "3"),
            (r"^[\D]$", "a", "3"),
            (r"\bb\b", "éb é", "ab"),
            (r"a\B.", "ab", "a-"),
            ("^.$", "\u{85}", "\u{2028}"),
            ("^.$", "😀", "\r"),
            (r"^a$", "a", "a\n"),
            (r"^(?s:.).$", "\n.", "\n\n"),
            (r"^(?s:(?-s:.).)$", ".\n", "\n."),
            (r"^(?i:a)b$", "Ab", "AB"),
            (r"^[^]$", "\u{2028}", ""),
            (r"^(?:[]|a)$", "a", ""),
            (r"^\cJ\x41\u0042\u{43}\0$", "\nABC\0", "ABC"),
            (r"^\uD83D\uDE00$", "😀", "x"),
            (r"^[\uD83D\uDE00-\uD83D\uDE02]$", "😁", "😃"),
            (r"^[\uD800-\uE000]$", "\u{E000}", "\u{E001}"),
            (r"^(?:\uD800|a)$", "a", "b"),
            (r"^\p{Lu}\P{Script=Greek}$", "Äa", "Äα"),
            (r"^[\p{L}\-]+$", "ä-", "1"),
            (r"^\/\-\_\@\#\ $", "/-_@# ", "/"),
            (r"^[&&~~[a-]$", "[", "b"),
            (r"^[+--]$", ",", "."),
            (r"^[\b]$", "\u{8}", "b"),
            (r"^[a\]^-]$", "^", "b"),
            (r"^(?<year>\d{4})-(?<y\u0065t>\d)$", "2024-1", "2024-"),
            ("^a#b c$", "a#b c", "a"),
            // with a lookaround or a backreference
            (r"^(?=.*\d)(?!.*\s).{3}$", "a1b", "a b"),
            (r"^(?!٣\d)", "٣٣", "٣1"),
            (r"(?<=a+)b$", "aab", "b"),
            (r"(?<!\$)b$", "ab", "$b"),
            (r"^(a|b)\1$", "aa", "ab"),
            (r"^(?<n>.)x\k<n>$", "axa", "axb"),
            (r"^(?:(a)|b)\1$", "b", "a"),
            (r"^(?=a)a$", "a", "a\n"),
            (r"^(?=.).$", "é", "\u{2029}"),
            (r"^(.)\b(?= )", "a ", "é "),
            (r"^(.)\B(?= )", "é ", "a "),
            (r"^\b(?=a)", "a", "b"),
            (r"^(?=é)\B", "é", "ab"),
        ] {
            assert_eq!(matches(pattern, good), Some(true), "{pattern} on {good:?}: {:?}", translate(pattern));
            assert_eq!(matches(pattern, bad), Some(false), "{pattern} on {bad:?}: {:?}", translate(pattern));
        }
    }

    #[test]
    fn a_group_in_a_loop_has_what_the_last_turn_matched() {
        for (pattern, good, bad) in [
            (r"^(?:(a)|b)*\1$", "ab", "aba"),
            (r"^(?:(a)|b)*\1$", "aa", "c"),
            (r"^(?:(a)|(b))+\1\2$", "abb", "ab"),
            (r"^(?:(a)|b){2}\1$", "ab", "aba"),
            (r"^(?:(a)|b){2,3}?c\1$", "baca", "bac"),
            (r"^(?:(?<x>a)|b)*-\k<x>$", "ab-", "ab-a"),
            (r"^(a|b)*\1$", "abb", "aba"),
            (r"^(?:(?:(a)|b)*c)*\1$", "acbc", "acbca"),
            (r"^(?:(a)|b)*[(]\1(?:(c)|d)*\2$", "ab(cd", "ab(cdc"),
        ] {
            assert_eq!(matches(pattern, good), Some(true), "{pattern} on {good:?}: {:?}", translate(pattern));
            assert_eq!(matches(pattern, bad), Some(false), "{pattern} on {bad:?}: {:?}", translate(pattern));
        }
        assert_eq!(check(r"^(?:(a)|b\1)*$"), Err(Untranslated::Beyond));
    }

    #[test]
    fn what_annex_b_takes_means_what_it_means_without_the_flag() {
        for (pattern, good, bad) in [
            (r"^[\w-.]+$", "a-.", "/"),
            (r"^{{.*}}$", "{{a}}", "{a}"),
            (r"^a}$", "a}", "a"),
            (r"^x{,3}$", "x{,3}", "xx"),
            (r"^\A$", "A", ""),
            (r"^\1$", "\u{1}", "1"),
            (r"^(?=a)*a$", "a", "b"),
            (r"^\c1$", "\\c1", "c1"),
        ] {
            assert_eq!(matches(pattern, good), Some(true), "{pattern} on {good:?}: {:?}", translate(pattern));
            assert_eq!(matches(pattern, bad), Some(false), "{pattern} on {bad:?}: {:?}", translate(pattern));
            assert!(check(pattern).unwrap().is_some(), "{pattern}");
        }
    }

    #[test]
    fn leaves_plain_ones_as_they_are() {
        for pattern in ["^[A-Z]{2}[0-9]{4}$", "^[a-z][a-z0-9_]*$", "^a|b+?$"] {
            assert_eq!(translate(pattern), Some(Translated::Plain(pattern.to_owned())));
        }
    }

    #[test]
    fn refuses_what_it_cannot_keep_to() {
        for pattern in [
            "(a{1000}){1000}",
            "((a{100}){100}){100}",
            "(?=(a{1000}){1000})",
            "a{99999999999}",
            "(?m:^a)",
            r"\x{1}",
            "(",
            "\\p{Nonsense}",
            r"(?P<n>a)",
        ] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
        let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(check(&deep).is_err());
        let deep = format!("{}a{}", "(?=".repeat(100_000), ")".repeat(100_000));
        assert!(check(&deep).is_err());
    }

    /// Uses the test suite in the folder `JSON_SCHEMA_TEST_SUITE`, or the one beside the repository.
    #[test]
    fn agrees_with_the_official_suite() {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/json-schema-test-suite");
        let suite = std::env::var("JSON_SCHEMA_TEST_SUITE").unwrap_or_else(|_| beside.to_owned());
        let (mut count, mut wrong) = (0, Vec::new());
        for draft in ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"] {
            for file in ["ecmascript-regex", "non-bmp-regex", "../pattern"] {
                let path = Path::new(&suite).join("tests").join(draft).join(format!("optional/{file}.json"));
                let Ok(text) = std::fs::read_to_string(path) else { continue };
                for group in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
                    let Some(pattern) = group["schema"]["pattern"].as_str() else { continue };
                    for case in group["tests"].as_array().unwrap() {
                        let Some(text) = case["data"].as_str() else { continue };
                        count += 1;
                        if matches(pattern, text) != case["valid"].as_bool() {
                            wrong.push(format!("{draft} {pattern} on {text:?}"));
                        }
                    }
                }
            }
        }
        assert!(
            count > 100,
            "only {count} cases in {suite}: set JSON_SCHEMA_TEST_SUITE to where the JSON Schema test suite is"
        );
        assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}
