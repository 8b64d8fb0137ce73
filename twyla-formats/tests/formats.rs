//! Formats against the official suite, and against the crate `jsonschema` on generated strings.

use std::path::PathBuf;

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use twyla_formats::{Format, holds};

/// Returns the format of a suite file's name in a draft.
fn format(name: &str, draft: &str) -> Option<Format> {
    Some(match name {
        "date-time" => Format::DateTime,
        "date" => Format::Date,
        "time" => Format::Time,
        "duration" => Format::Duration,
        "email" => Format::Email,
        #[cfg(feature = "idna")]
        "idn-email" => Format::IdnEmail,
        "hostname" if matches!(draft, "draft4" | "draft6") => Format::PlainHostname,
        "hostname" => Format::Hostname,
        #[cfg(feature = "idna")]
        "idn-hostname" => Format::IdnHostname,
        "ipv4" => Format::Ipv4,
        "ipv6" => Format::Ipv6,
        "uri" => Format::Uri,
        "uri-reference" => Format::UriReference,
        "iri" => Format::Iri,
        "iri-reference" => Format::IriReference,
        "uuid" => Format::Uuid,
        "uri-template" => Format::UriTemplate,
        "json-pointer" => Format::JsonPointer,
        "relative-json-pointer" => Format::RelativeJsonPointer,
        "regex" => Format::Regex,
        _ => return None,
    })
}

/// Returns the suite's folder: beside the repository, or `JSON_SCHEMA_TEST_SUITE`.
fn suite() -> PathBuf {
    std::env::var_os("JSON_SCHEMA_TEST_SUITE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/json-schema-test-suite")),
        PathBuf::from,
    )
}

#[test]
fn agree_with_the_official_suite() {
    let drafts = suite().join("tests");
    let mut count = 0;
    let mut wrong = Vec::new();
    for draft in ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"] {
        let Ok(files) = std::fs::read_dir(drafts.join(draft).join("optional/format")) else { continue };
        for file in files {
            let groups = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for group in serde_json::from_str::<Vec<Value>>(&groups).unwrap() {
                let Some(name) = group["schema"]["format"].as_str() else { continue };
                let Some(format) = format(name, draft) else {
                    assert!(name == "unknown" || name.starts_with("idn-"), "the format {name} of {draft} isn't here");
                    continue;
                };
                for case in group["tests"].as_array().unwrap() {
                    // a format doesn't apply to other types
                    let Some(text) = case["data"].as_str() else { continue };
                    count += 1;
                    if Some(holds(format, text)) != case["valid"].as_bool() {
                        wrong.push(format!("{draft} {name} {text:?}: {}", case["description"]));
                    }
                }
            }
        }
    }
    assert!(
        count > 500,
        "only {count} cases were found in {}: clone github.com/json-schema-org/JSON-Schema-Test-Suite there, or set \
         JSON_SCHEMA_TEST_SUITE to where it is",
        drafts.display()
    );
    assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The crate `jsonschema` as the reference.
struct Oracle {
    formats: Vec<(Format, jsonschema::Validator)>,
    idn_hostname: jsonschema::Validator,
}

impl Oracle {
    fn new() -> Self {
        let build = |name: &str| {
            let options = jsonschema::options().should_validate_formats(true);
            options.build(&json!({ "format": name })).expect("a schema")
        };
        let names = [
            "date-time",
            "date",
            "time",
            "duration",
            "email",
            "idn-email",
            "hostname",
            "idn-hostname",
            "ipv4",
            "ipv6",
            "uri",
            "uri-reference",
            "iri",
            "iri-reference",
            "uuid",
            "uri-template",
            "json-pointer",
            "relative-json-pointer",
            "regex",
        ];
        let formats = names.into_iter().filter_map(|name| Some((format(name, "")?, build(name)))).collect();
        Self { formats, idn_hostname: build("idn-hostname") }
    }

    fn disagreements(&self, text: &str) -> Vec<String> {
        let value = json!(text);
        let mut found = Vec::new();
        for (format, oracle) in &self.formats {
            let here = holds(*format, text);
            if here != oracle.is_valid(&value) && !self.explained(*format, text, here) {
                found.push(format!("{} {text:?}: {here} here", format.name()));
            }
        }
        found
    }

    fn disagrees_only_in_case(&self, format: Format, text: &str) -> bool {
        let oracle = self.formats.iter().find(|(known, _)| *known == format);
        oracle.is_some_and(|(_, oracle)| oracle.is_valid(&json!(text.to_lowercase())))
    }

    /// Returns whether a difference is a known deviation of the crate from the specification.
    fn explained(&self, format: Format, text: &str, here: bool) -> bool {
        match format.name() {
            // RFC 6570 allows `ucschar` and `iprivate` of RFC 3987 in literals: no C1 controls, specials or noncharacters
            "uri-template" => {
                let special = |c| matches!(c, '\u{80}'..='\u{9F}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FFF0}'..='\u{FFFF}');
                !here && text.contains(|c| special(c) || u32::from(c) & 0xFFFE == 0xFFFE)
            }
            // in quotes RFC 5321 allows each printable character, a space after a backslash and ` <` too, and no control
            // characters; RFC 6531 adds the characters beyond ASCII, but not after a backslash
            "email" | "idn-email" if text.starts_with('"') => {
                let odd = text.contains('\t')
                    || text
                        .split('\\')
                        .skip(1)
                        .any(|after| !after.is_empty() && !after.starts_with(|c: char| c.is_ascii()));
                here == (text.contains("\\ ") || text.contains(" <")) && here != odd
            }
            // the prefix is case-insensitive
            "hostname" | "email" if here => self.disagrees_only_in_case(format, text),
            "hostname" | "email" => {
                // an A-label is in NFC, satisfies the Bidi rule, and decodes to no character that is mapped to others: the
                // crate checks that only for `idn-hostname`
                let encoded = text.to_lowercase().contains("xn--");
                encoded && (!self.idn_hostname.is_valid(&json!(text)) || old_hangul(text))
            }
            "idn-hostname" | "idn-email" => !here && old_hangul(text),
            _ => false,
        }
    }
}

/// Returns whether a name has letters that RFC 5892, section 2.9, refuses.
fn old_hangul(name: &str) -> bool {
    let (name, _) = Uts46::new().to_unicode(name.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    name.contains(|c| matches!(c, '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97C}' | '\u{D7B0}'..='\u{D7FB}'))
}

/// Generates slightly changed valid texts of some format.
fn nearly() -> impl Strategy<Value = String> {
    let seeds = prop_oneof![
        "[0-9]{4}-[0-1][0-9]-[0-3][0-9]",
        "[0-9]{4}-[0-1][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,3})?(Z|[+-][0-2][0-9]:[0-5][0-9])",
        "(23|00|15):(59|29):60(\\.[0-9]{1,3})?(Z|[+-](00|07|23):(00|30|59))",
        "P([0-9]Y)?([0-9]M)?([0-9]W)?([0-9]D)?(T([0-9]H)?([0-9]M)?([0-9]S)?)?",
        "[a-c.\"!\\\\ @]{1,6}@[a-c.-]{1,6}",
        "\"[a@ \\\\]{0,4}\"@(\\[(ipv6:)?(::1|1.2.3.4)\\]|a\\.b)",
        "([0-9]{1,3}\\.){3}[0-9]{1,3}",
        "([0-9a-f]{0,4}:){1,7}(:|[0-9a-f]{1,4}|1\\.2\\.3\\.4)",
        "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "(https?:)?(//([a-z%0-9]{0,3}@)?([a-z.]{0,4}|\\[::1\\]|\\[v1\\.a\\])(:[0-9]{0,3})?)?[/a-z:%0-9ä]{0,8}(\\?[a-z?/ü]{0,4})?(#[a-z]{0,4})?",
        "([a-z+.1]{1,2}:)?(//([a:@%]{0,4}@)?([a-z]{0,9}|\\[(::1|v[0-9a]{0,2}\\.[a:!]{0,2})\\])(:[0-9]{0,2})?)?(/|//|)[a:@%2/ä\u{e000}]{0,10}(\\?[?/a:@\u{e000}ö]{0,9})?(#[a?/:]{0,9})?",
        "[a-z /]{0,3}\\{[+#./;?&]?[a-z_.%0-9]{0,4}(:[0-9]{0,5}|\\*)?(,[a-z]{0,2})?\\}?",
        "([0-9]{0,2})#?(/[a-z~0-2]{0,4}){0,3}",
        "xn--[a-z0-9-]{1,8}(\\.[a-z]{1,3})?",
        "[a-zäßאב٠0-9-]{1,5}(\\.[a-zäא]{1,3})?",
        "[a\\\\dwpP{}()\\[\\]?<>=!*+,1-3^$|-]{0,10}",
    ];
    (
        seeds,
        any::<prop::sample::Index>(),
        prop_oneof![Just(String::new()), "[ -~]", "[\\x00-\\x7f]", any::<char>().prop_map(String::from)],
        0..3_usize,
    )
        .prop_map(|(text, at, new, cut)| {
            if new.is_empty() {
                return text;
            }
            let chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len() + 1);
            chars.iter().take(at).copied().chain(new.chars()).chain(chars.iter().skip(at + cut).copied()).collect()
        })
}

/// Returns the number of cases; `FORMAT_CASES` may set a larger one, which then differs in each run.
fn cases() -> (usize, TestRunner) {
    match std::env::var("FORMAT_CASES").ok().and_then(|count| count.parse().ok()) {
        Some(count) => (count, TestRunner::default()),
        None => (20_000, TestRunner::deterministic()),
    }
}

#[test]
fn agree_with_another_implementation() {
    let (oracle, texts, (count, mut runner)) = (Oracle::new(), nearly(), cases());
    let mut found = Vec::new();
    for _ in 0..count {
        let text = texts.new_tree(&mut runner).unwrap().current();
        found.extend(oracle.disagreements(&text));
    }
    let first: Vec<String> = found.iter().take(100).cloned().collect();
    assert!(found.is_empty(), "{} differences, for example\n{}", found.len(), first.join("\n"));
}
