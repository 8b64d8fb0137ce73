//! Numbers mean the same to the evaluator, the comparison and generated code, and they mean what exact decimals mean to
//! the `jsonschema` library of Python.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use twyla_build::Draft;
use twyla_build::compare::{self, Bundle, Checker, Mode, Options, Verdict};
use twyla_codec::event::{Emit, Listen};
use twyla_golden::exact::shop::{Numbers, Pairs};

/// The contract whose properties are judged.
const SCHEMA: &str = include_str!("../../schemas/exact/events/shop/numbers.json");

/// The contract with rules about several numbers.
const PAIRS: &str = include_str!("../../schemas/exact/events/shop/pairs.json");

/// The first double beyond an `i64`.
const BEYOND_WORD: f64 = 9_223_372_036_854_775_808.0;

/// The verdicts on a text, each by the name of the property.
#[derive(Debug)]
struct Judged {
    own: BTreeMap<String, bool>,
    shortest: Option<BTreeMap<String, bool>>,
    digits: Option<BTreeMap<String, bool>>,
    kept: bool,
}

/// Returns a Python that has the library: the one that `cargo xtask test` installs, or the machine's. `None` with a notice
/// if there is none.
fn python() -> Option<String> {
    if let Ok(python) = std::env::var("TWYLA_TEST_PYTHON_PEER") {
        return Some(python);
    }
    let output = Command::new("python3").args(["-c", "import jsonschema"]).output();
    if output.is_ok_and(|output| output.status.success()) {
        return Some("python3".to_owned());
    }
    // not with a macro: the test harness hides its output if the test passes
    let notice =
        "\nTHE LIBRARY jsonschema IS NOT IN python3: numbers were not judged by it; cargo xtask test installs it\n\n";
    std::io::stderr().write_all(notice.as_bytes()).unwrap();
    None
}

/// Returns the answer of the library.
fn ask(python: &str, asked: &Value) -> Value {
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/numbers/judge.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns whether the schema of pairs accepts each value.
fn judge_pairs(python: &str, texts: &[String]) -> Vec<bool> {
    let answer = ask(python, &json!({ "schema": PAIRS, "values": texts }));
    answer.as_array().unwrap().iter().map(|valid| valid.as_bool().unwrap()).collect()
}

fn judge(python: &str, texts: &[String]) -> Vec<Judged> {
    let answer = ask(python, &json!({ "schema": SCHEMA, "texts": texts }));
    let judged = answer.as_array().unwrap();
    let verdicts = |value: &Value| -> Option<BTreeMap<String, bool>> {
        Some(value.as_object()?.iter().map(|(name, holds)| (name.clone(), holds.as_bool().unwrap())).collect())
    };
    judged
        .iter()
        .map(|one| Judged {
            own: verdicts(&one["own"]).unwrap(),
            shortest: verdicts(&one["shortest"]),
            digits: verdicts(&one["digits"]),
            kept: one["kept"].as_bool().unwrap(),
        })
        .collect()
}

/// Returns the names of the contract's properties with their schemas as text.
fn properties() -> Vec<(String, String)> {
    let lines = SCHEMA.lines().filter_map(|line| line.strip_prefix("    \"")?.split_once("\": "));
    lines.map(|(name, schema)| (name.to_owned(), schema.trim_end_matches(',').to_owned())).collect()
}

/// Returns the numbers in a schema, as they are written.
fn numbers(schema: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    let words = schema.split(|c| !is_part(c)).filter(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
    words.map(str::to_owned).collect()
}

/// Returns a number, its neighbours and other notations of each.
fn around(written: &str) -> Vec<String> {
    let mut all = vec![written.to_owned(), format!("{written}e0")];
    if let Ok(whole) = written.parse::<i128>() {
        all.extend([whole - 1, whole + 1, -whole].map(|number| number.to_string()));
        all.extend([format!("{whole}.0"), format!("{whole}.5"), format!("{whole}.000E+0")]);
    }
    if written.contains('e') {
        all.retain(|text| text.matches('e').count() < 2);
    }
    let nearest: f64 = written.parse().unwrap();
    for value in [nearest.next_down(), nearest, nearest.next_up()].into_iter().filter(|value| value.is_finite()) {
        for value in [value, -value] {
            all.push(format!("{value:e}"));
            if value.abs() < 1e40 {
                all.push(format!("{value}"));
                all.push(format!("{value:.0}"));
            }
        }
    }
    all
}

fn texts() -> Vec<String> {
    let given = [
        "0",
        "-0",
        "-0.0",
        "0e9",
        "1",
        "1.0",
        "1e2",
        "100",
        "100.0",
        "0.1e1",
        "1e400",
        "-1e400",
        "1e-400",
        "1e23",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "10",
        "7.5",
        "1e19",
    ];
    let all = properties().into_iter().flat_map(|(_, schema)| numbers(&schema)).chain(given.map(str::to_owned));
    let all: BTreeSet<String> = all.collect::<Vec<_>>().iter().flat_map(|written| around(written)).collect();
    all.into_iter().collect()
}

/// Returns the text of the only member.
fn member(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap();
    text.split_once(':').unwrap().1.strip_suffix('}').unwrap().to_owned()
}

/// Returns whether a text is read as an integer into a value of any kind.
fn is_integer_literal(text: &str) -> bool {
    text != "-0" && (text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok())
}

/// Encodes a decoded content; `None` if its contract refuses it.
fn sent(content: &Numbers) -> Option<String> {
    let mut out = Vec::new();
    content.encode(&mut out).ok()?;
    Some(member(&out))
}

#[test]
fn generated_code_agrees_with_exact_decimals() {
    let Some(python) = python() else { return };
    let (texts, properties) = (texts(), properties());
    let judged = judge(&python, &texts);
    let (mut accepted, mut refused, mut again) = (0, 0, Vec::new());
    for (name, _) in &properties {
        for (text, judged) in texts.iter().zip(&judged) {
            let about = || format!("{name}: {text}: {judged:?}");
            let found = Numbers::decode(format!("{{\"{name}\":{text}}}").as_bytes());
            let own = judged.own[name];
            let said = found.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let exact = name.starts_with("integer") || name.starts_with("any") && is_integer_literal(text);
            let beyond = ["fits in 64 bits", "more digits than can be kept", "out of the range of numbers"];
            if beyond.iter().any(|beyond| said.contains(beyond)) {
                // refused rather than changed
                let is_beyond = if name.starts_with("integer") { text.parse::<i64>().is_err() } else { !judged.kept };
                assert!(is_beyond, "{said}: {}", about());
                continue;
            }
            let holds = |verdicts: &Option<BTreeMap<String, bool>>| verdicts.as_ref().is_some_and(|all| all[name]);
            // a fraction with more digits than a double has is rounded
            let expected = if exact || judged.kept { own } else { holds(&judged.shortest) };
            assert_eq!(found.is_ok(), expected, "{said}: {}", about());
            let Ok(content) = found else {
                refused += 1;
                continue;
            };
            accepted += 1;
            let value: f64 = text.parse().unwrap();
            let has_all_digits = name.starts_with("number") && value.fract() == 0.0 && value.abs() < BEYOND_WORD;
            let written =
                if exact { own } else { holds(if has_all_digits { &judged.digits } else { &judged.shortest }) };
            let sent = sent(&content);
            assert_eq!(sent.is_some(), written, "sent: {sent:?}: {}", about());
            again.extend(sent.map(|sent| (name, sent)));
        }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted and {refused} refused prove little");
    // whatever is sent is valid to the last digit
    let sent: Vec<String> = again.iter().map(|(_, text)| text.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let judged: BTreeMap<&String, Judged> = sent.iter().zip(self::judge(&python, &sent)).collect();
    for (name, text) in &again {
        assert!(judged[text].own[*name], "{name} sends {text}");
    }
}

#[test]
fn the_evaluator_agrees_with_exact_decimals() {
    let Some(python) = python() else { return };
    let (texts, properties) = (texts(), properties());
    let values: Vec<Value> = texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    let written: Vec<String> = values.iter().map(ToString::to_string).collect();
    let judged = judge(&python, &written);
    for (name, schema) in &properties {
        let checker = Checker::new(&Bundle::schema(schema, Draft::default()).unwrap(), Mode::Subsumption).unwrap();
        for (value, judged) in values.iter().zip(&judged) {
            assert_eq!(checker.is_valid(value), Some(judged.own[name]), "{name}: {value}");
        }
    }
}

#[test]
fn the_comparison_agrees_with_exact_decimals() {
    let Some(python) = python() else { return };
    let (texts, properties) = (texts(), properties());
    let judged = judge(&python, &texts);
    let (mut fit, mut broke, mut witnesses) = (0, 0, Vec::new());
    let bundles: Vec<Bundle> =
        properties.iter().map(|(_, schema)| Bundle::schema(schema, Draft::default()).unwrap()).collect();
    for ((old, _), sender) in properties.iter().zip(&bundles) {
        for ((new, _), reader) in properties.iter().zip(&bundles) {
            match compare::compare(sender, reader, &Options::subsumption()) {
                Verdict::Fits => {
                    fit += 1;
                    for (text, judged) in texts.iter().zip(&judged) {
                        assert!(!judged.own[old] || judged.own[new], "{old} isn't within {new}: {text}");
                    }
                }
                Verdict::Breaks(witness) if witness.event.is_number() => {
                    broke += 1;
                    witnesses.push((old, new, witness.event.to_string()));
                }
                _ => {}
            }
        }
    }
    assert!(fit > 100 && broke > 500, "{fit} fit, {broke} break");
    let texts: Vec<String> = witnesses.iter().map(|(.., text)| text.clone()).collect();
    for ((old, new, text), judged) in witnesses.iter().zip(judge(&python, &texts)) {
        assert!(judged.own[*old] && !judged.own[*new], "{text} isn't a witness of {old} to {new}");
    }
}

#[test]
fn what_the_comparison_calls_safe_is_read() {
    let (texts, properties) = (texts(), properties());
    let sent: Vec<BTreeSet<String>> = properties
        .iter()
        .map(|(name, _)| {
            let contents =
                texts.iter().filter_map(|text| Numbers::decode(format!("{{\"{name}\":{text}}}").as_bytes()).ok());
            contents.filter_map(|content| sent(&content)).collect()
        })
        .collect();
    let bundles: Vec<Bundle> = properties
        .iter()
        .map(|(_, schema)| {
            let schema = format!(r#"{{ "type": "object", "properties": {{ "a": {schema} }} }}"#);
            Bundle::schema(&schema, Draft::default()).unwrap().formats(true)
        })
        .collect();
    let (mut fit, mut broke, mut open) = (0, 0, Vec::new());
    for ((old, sent), sender) in properties.iter().zip(&sent).zip(&bundles) {
        for ((new, _), reader) in properties.iter().zip(&bundles) {
            let reads = |text: &str| Numbers::decode(format!("{{\"{}\":{text}}}", new).as_bytes());
            match compare::compare(sender, reader, &Options::default()) {
                Verdict::Fits => {
                    fit += 1;
                    for text in sent {
                        let read = reads(text);
                        assert!(read.is_ok(), "{} sends {text}, which {new} refuses: {read:?}", old.0);
                    }
                }
                Verdict::Breaks(witness) => {
                    broke += 1;
                    let text = witness.event["a"].to_string();
                    let read = reads(&text);
                    assert!(read.is_err(), "{text} is no witness of {} to {new}", old.0);
                    // whatever the old contract accepts may be sent; if generated code sends something that the new one refuses, then
                    // it also sends the witness
                    let content = Numbers::decode(format!("{{\"{}\":{text}}}", old.0).as_bytes());
                    let sends = |text: &str| content.as_ref().ok().and_then(self::sent).as_deref() == Some(text);
                    assert!(content.is_ok(), "{} refuses its own {text}: {content:?}", old.0);
                    let by_all = sent.iter().any(|text| reads(text).is_err());
                    assert!(!by_all || sends(&text), "{} doesn't send {text}: {content:?}", old.0);
                }
                Verdict::Undecided(why) => open.push(format!("{} to {new}: {why}", old.0)),
            }
        }
    }
    assert!(fit > 100 && broke > 500, "{fit} fit, {broke} break");
    // a witness may be a number that no value has
    assert!(open.len() * 5 < fit + broke, "{} undecided: {open:#?}", open.len());
}

/// Returns texts with two numbers, and with a list or another member of the same numbers.
fn pairs() -> Vec<String> {
    let numbers = [
        "1152921504606846976",
        "1152921504606847000",
        "1.152921504606846976e18",
        "1152921504606847.0e3",
        "18446744073709551616",
        "18446744073709552000",
        "1.8014398509481984e38",
        "-1152921504606846976.0",
        "3",
    ];
    let both = numbers.into_iter().flat_map(|a| numbers.into_iter().map(move |b| (a, b)));
    let texts = both.flat_map(|(a, b)| {
        let more = [
            String::new(),
            format!(r#","list":[{a},{b}]"#),
            format!(r#","list":[1,2,4,5,6,7,8,{b},{a}]"#),
            format!(r#","below":[{b},{a}]"#),
            format!(r#","below":[3,{a}]"#),
            format!(r#","any":[{a},{b}]"#),
            format!(r#","first":[{a},1],"power":1.8014398509481984e38"#),
            format!(r#","first":[{b},3],"power":{a}"#),
        ];
        // the members are read in any order
        more.map(|more| [format!(r#"{{"a":{a},"b":{b}{more}}}"#), format!(r#"{{"b":{b}{more},"a":{a}}}"#)])
    });
    texts.flatten().collect()
}

#[test]
fn each_of_several_large_numbers_is_judged_as_it_was_received() {
    let Some(python) = python() else { return };
    let texts = pairs();
    let bundle = Bundle::schema(PAIRS, Draft::default()).unwrap().formats(true);
    let checker = Checker::new(&bundle, Mode::Contract).unwrap();
    let (mut accepted, mut refused, mut sent) = (0, 0, Vec::new());
    for (text, valid) in texts.iter().zip(judge_pairs(&python, &texts)) {
        let found = Pairs::decode(text.as_bytes());
        assert_eq!(found.is_ok(), valid, "{text}: {found:?}");
        let value: Value = twyla_codec::json::from_str(text).unwrap();
        assert_eq!(checker.refusals_in(text, &value, 1).map(|all| all.is_empty()), Some(valid), "validated: {text}");
        let Ok(content) = found else {
            refused += 1;
            continue;
        };
        accepted += 1;
        let mut out = Vec::new();
        if content.encode(&mut out).is_ok() {
            sent.push(String::from_utf8(out).unwrap());
        }
    }
    assert!(accepted > 20 && refused > 100, "{accepted} accepted and {refused} refused prove little");
    for (text, valid) in sent.iter().zip(judge_pairs(&python, &sent)) {
        assert!(valid, "{text} is sent");
    }
}

#[test]
fn a_text_is_validated_as_generated_code_judges_it() {
    let checker =
        Checker::new(&Bundle::schema(SCHEMA, Draft::default()).unwrap().formats(true), Mode::Contract).unwrap();
    let names = properties().into_iter().map(|(name, _)| name).chain(["undeclared".to_owned()]);
    let more = ["9007199254740993.5", "12345678901234567.8", "-9007199254740993.0", "1.8446744073709551617e19"];
    let (mut valid, mut invalid) = (0, 0);
    for name in names {
        for text in texts().iter().map(String::as_str).chain(more) {
            let text = format!("{{\"{name}\":{text}}}");
            let read = Numbers::decode(text.as_bytes());
            let Ok(value) = twyla_codec::json::from_str::<Value>(&text) else {
                assert!(read.is_err() || name == "undeclared", "{text}: {read:?}");
                continue;
            };
            let refusals = checker.refusals_in(&text, &value, 1);
            assert_eq!(refusals.as_ref().map(Vec::is_empty), Some(read.is_ok()), "{text}: {refusals:?}: {read:?}");
            *(if read.is_ok() { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert!(valid > 1000 && invalid > 1000, "{valid} valid and {invalid} invalid texts prove little");
}
