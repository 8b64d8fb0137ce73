//! Real histories under the lock: each version of a schema held against the one before, as a contract.
//!
//! `cargo nextest run -p twyla-build --test lock histories --no-capture` prints the figures.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use twyla_build::compare::Verdict;
use twyla_build::lock::{Direction, EditVerdict, Finding, FindingKind, Lock, check, messages};

use crate::folder::{Folder, how};

/// What a platform sends on a topic may be a list: the event has it as a property.
const EVENT: &str = r#"{ "properties": { "value": { "$ref": "../../shared/step.json" } }, "required": ["value"] }"#;
const SHARED: &str = "shared/step.json";

/// What became of the steps of a source.
#[derive(Default)]
struct Figures {
    verdicts: BTreeMap<String, usize>,
    witnesses: usize,
}

/// The steps of a source: what each is called, what it is said to be, and the schemas before and after it.
fn steps(source: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schema-compat").join(format!("{source}.jsonl"));
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("the shared data is needed for this: {}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Holds each step against the one before: the lock is what was accepted then.
fn run(source: &str, change: impl Fn(&mut Value), mut each: impl FnMut(&Value, &str, &[Finding])) -> Figures {
    let mut figures = Figures::default();
    let folder = Folder::new(&format!(
        "history_{source}_{}",
        std::thread::current().name().unwrap_or_default().replace("::", "_")
    ));
    folder.write("events/history/step.json", EVENT);
    for mut step in steps(source) {
        change(&mut step["old"]);
        change(&mut step["new"]);
        folder.write(SHARED, &format!("{:#}", step["old"]));
        let before = match folder.builder().contracts() {
            Ok(before) => before,
            Err(problems) => {
                println!("no contract: {}: {problems}", step["id"]);
                *figures.verdicts.entry("no contract".to_owned()).or_default() += 1;
                continue;
            }
        };
        // as it would be read from the file
        let lock = Lock::parse("contracts.lock", Lock::of(&before).to_string().as_bytes()).unwrap();
        folder.write(SHARED, &format!("{:#}", step["new"]));
        let after = folder.builder().contracts().unwrap();
        let findings = check(&after, &lock, &how()).unwrap();
        let verdict = match findings.first().map(|finding| &finding.kind) {
            None => "the same contract".to_owned(),
            Some(FindingKind::Behind(edited)) => edited.verdict.word().to_owned(),
            Some(FindingKind::Broken(broken)) => {
                for misfit in &broken.misfits {
                    figures.witnesses += usize::from(matches!(misfit.verdict, Verdict::Breaks(_)));
                }
                assert!(!broken.edited.edits.is_empty(), "{step}");
                broken.edited.verdict.word().to_owned()
            }
            Some(other) => panic!("{}: {other:?}", step["id"]),
        };
        each(&step, &verdict, &findings);
        // whatever it is, it can be said
        assert!(messages(&findings).iter().all(|message| !message.lines.is_empty()));
        *figures.verdicts.entry(verdict).or_default() += 1;
    }
    println!("{source}: {:?}, {} witnesses", figures.verdicts, figures.witnesses);
    figures
}

/// Whether their own check was switched off for a version, as it wouldn't have passed.
fn skipped(step: &Value) -> bool {
    step["expect"]["compat_test_skipped"] == true
}

fn is_additive(verdict: &str) -> bool {
    matches!(verdict, "additive" | "the same contract")
}

/// Wikimedia's own check of a minor version is that it reads what was written before, and each of them does. Where their
/// schemas are closed (`additionalProperties: false`), a listener of the version before refuses the property that is new,
/// and the lock says so: consumer-first, for that keyword and for nothing else.
#[test]
fn minor_versions_of_wikimedia_are_additive_but_where_they_are_closed() {
    let mut closed = 0;
    let figures = run(
        "wikimedia",
        |_| {},
        |step, verdict, findings| {
            let semver = step["expect"]["semver"].as_str().unwrap();
            println!("{semver:<7} {verdict:<18} {}", step["id"]);
            if semver == "major" || is_additive(verdict) || skipped(step) {
                return;
            }
            closed += 1;
            let FindingKind::Broken(broken) = &findings[0].kind else { panic!("{}: {findings:?}", step["id"]) };
            for misfit in &broken.misfits {
                let Verdict::Breaks(witness) = &misfit.verdict else { panic!("{}: {misfit:?}", step["id"]) };
                let of = (misfit.direction, &*witness.keyword);
                assert_eq!(of, (Direction::NewToOld, "additionalProperties"), "{}", step["id"]);
            }
        },
    );
    println!("minor versions and patches that are consumer-first, since the version before is closed: {closed}");
    assert!(figures.verdicts.keys().all(|verdict| verdict != EditVerdict::Undecided.word()), "{:?}", figures.verdicts);
}

/// The same schemas read as open: a listener that ignores what it doesn't know.
#[test]
fn minor_versions_of_wikimedia_are_additive_where_they_are_open() {
    let mut wrong = Vec::new();
    run("wikimedia", open, |step, verdict, findings| {
        let semver = step["expect"]["semver"].as_str().unwrap();
        println!("{semver:<7} {verdict:<18} {}", step["id"]);
        if semver != "major" && !is_additive(verdict) && !skipped(step) {
            wrong.extend(messages(findings).into_iter().flat_map(|message| message.lines));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Takes `additionalProperties: false` out of every schema.
fn open(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("additionalProperties") == Some(&Value::Bool(false)) {
                members.remove("additionalProperties");
            }
            members.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

#[test]
fn every_break_of_sentrys_history_has_its_witness() {
    let figures = run(
        "sentry-kafka",
        |_| {},
        |step, verdict, findings| {
            println!("{verdict:<18} {}", step["id"]);
            for finding in findings {
                let FindingKind::Broken(broken) = &finding.kind else { continue };
                assert!(!broken.ways.is_empty(), "{}", step["id"]);
            }
        },
    );
    let of = |word: EditVerdict| figures.verdicts.get(word.word()).copied().unwrap_or_default();
    let due = of(EditVerdict::ConsumerFirst) + of(EditVerdict::ProducerFirst) + 2 * of(EditVerdict::Breaking);
    assert!(figures.witnesses >= due, "{:?}, {} witnesses", figures.verdicts, figures.witnesses);
}
