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
use twyla_golden::exact::shop::Numbers;

/// The contract whose properties are judged.
const SCHEMA: &str = include_str!("../../schemas/exact/events/shop/numbers.json");

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

fn judge(python: &str, texts: &[String]) -> Vec<Judged> {
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/numbers/judge.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({ "schema": SCHEMA, "texts": texts }).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let judged: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
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
                    assert!(read.is_err(), "{text} isn't a witness of {} to {new}", old.0);
                    // generated code sends the witness, or the sender's contract accepts it in the notation of serde and Python
                    let content = Numbers::decode(format!("{{\"{}\":{text}}}", old.0).as_bytes());
                    assert!(content.is_ok(), "{} refuses its own {text}: {content:?}", old.0);
                }
                Verdict::Undecided(why) => open.push(format!("{} to {new}: {why}", old.0)),
            }
        }
    }
    assert!(fit > 100 && broke > 500, "{fit} fit, {broke} break");
    // a witness may be a number that no value has
    assert!(open.len() * 5 < fit + broke, "{} undecided: {open:#?}", open.len());
}
