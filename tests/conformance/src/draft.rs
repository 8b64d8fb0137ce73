//! Runs every group of a draft, and prints the summary as one line of JSON.

use std::collections::{BTreeMap, HashMap};
use std::{env, io, panic};

use jsonschema::{Draft, Validator};
use serde_json::Value;
use twyla_generate::instances;
use twyla_generate::random::Random;

use crate::group::{Group, Kind, Prepared, Way};
use crate::known;
use crate::run::{Check, Outcome};
use crate::summary::{Disagreement, Summary};

/// How many values each generated schema is held to, unless `TWYLA_CONFORMANCE_INSTANCES` says otherwise.
const INSTANCES: usize = 60;

/// The program of a draft.
///
/// # Panics
/// Where what the build script has written can't be read, or the summary can't be printed.
pub fn main(draft: &str, prepared: &str, checks: &[(usize, Check)]) {
    let prepared: Prepared = serde_json::from_str(prepared).expect("the build script has written it");
    // a panic is a disagreement, and is told with its case
    panic::set_hook(Box::new(|_| ()));
    // the stack of a thread that a service decodes in, and not the main thread's, which is larger
    let summary = std::thread::scope(|scope| scope.spawn(|| run(draft, prepared, checks)).join());
    serde_json::to_writer(io::stdout(), &summary.expect("panics are caught")).expect("stdout is open");
}

fn run(draft: &str, prepared: Prepared, checks: &[(usize, Check)]) -> Summary {
    let checks: HashMap<usize, Check> = checks.iter().copied().collect();
    let mut summary = Summary { draft: draft.into(), suite: prepared.suite, ..Summary::default() };
    summary.unreadable = prepared.unreadable;
    summary.unserved = prepared.unserved;
    let mut excused = BTreeMap::new();
    for (number, group) in prepared.groups.iter().enumerate() {
        summary.tallies.entry(group.kind).or_default().count(&group.way);
        match checks.get(&number) {
            Some(check) if group.kind == Kind::Generated => generated(draft, group, *check, &mut summary),
            Some(check) => written(draft, group, *check, &mut summary, &mut excused),
            None => refused(draft, group, &mut summary, &mut excused),
        }
    }
    summary.stale = excused.into_iter().filter(|(_, used)| !used).map(|(entry, _)| entry).collect();
    summary
}

/// Runs the cases that a group of the suite has.
fn written(draft: &str, group: &Group, check: Check, summary: &mut Summary, excused: &mut BTreeMap<String, bool>) {
    for case in &group.cases {
        let names = [&*group.file, &group.description, &case.description];
        let known = (group.kind != Kind::Required).then(|| known::find(draft, names)).flatten();
        let outcome = check(case.data.get());
        let agrees = judge(group, case.valid, &outcome, summary);
        if let Some(known) = known {
            *excused.entry(known.to_string()).or_default() |= !agrees;
        }
        if !agrees {
            let known = known.map(|known| known.why.to_owned());
            summary.disagreements.push(told(group, &case.description, case.data.get(), case.valid, &outcome, known));
        }
    }
}

/// A group that the build refuses disagrees with all its cases.
fn refused(draft: &str, group: &Group, summary: &mut Summary, excused: &mut BTreeMap<String, bool>) {
    let Way::Refused(problem) = &group.way else { return };
    let known = (group.kind != Kind::Required).then(|| known::find(draft, [&*group.file, &group.description, "*"]));
    let known = known.flatten();
    if let Some(known) = known {
        excused.insert(known.to_string(), true);
    }
    summary.tallies.entry(group.kind).or_default().cases += group.cases.len();
    summary.disagreements.push(Disagreement {
        kind: group.kind,
        case: [group.file.clone(), group.description.clone(), "*".into()],
        schema: group.schema.get().to_owned(),
        data: String::new(),
        said: format!("the build refuses the schema: {problem}"),
        cases: group.cases.len().max(1),
        known: known.map(|known| known.why.to_owned()),
    });
}

/// Runs generated values, and holds what comes out to the `jsonschema` crate.
fn generated(draft: &str, group: &Group, check: Check, summary: &mut Summary) {
    let schema: Value = serde_json::from_str(group.schema.get()).expect("the build script has generated it");
    let oracle = oracle(draft, &schema);
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let many = number("TWYLA_CONFORMANCE_INSTANCES").unwrap_or(INSTANCES);
    let seed = group.description.bytes().map(u64::from).collect::<Vec<_>>();
    for text in instances::near(draft, &schema, &mut Random::new(&seed), many) {
        let value: Value = serde_json::from_str(&text).expect("is generated as JSON");
        let valid = oracle.is_valid(&value);
        let outcome = check(&text);
        if !valid && known::rounds(&value, oracle.iter_errors(&value).map(|error| error.schema_path().to_string())) {
            continue;
        }
        if valid && known::digits(&value, &outcome) {
            summary.tallies.entry(group.kind).or_default().digits += 1;
            continue;
        }
        if !judge(group, valid, &outcome, summary) {
            summary.disagreements.push(told(group, "", &text, valid, &outcome, None));
        }
    }
}

fn oracle(draft: &str, schema: &Value) -> Validator {
    let draft = match draft {
        "draft4" => Draft::Draft4,
        "draft6" => Draft::Draft6,
        "draft7" => Draft::Draft7,
        "draft2019-09" => Draft::Draft201909,
        _ => Draft::Draft202012,
    };
    let options = jsonschema::options().with_draft(draft).should_validate_formats(true);
    options.build(schema).unwrap_or_else(|error| panic!("{schema} is generated as a schema: {error}"))
}

/// Counts a case, and tells whether it came out as it should.
fn judge(group: &Group, valid: bool, outcome: &Outcome, summary: &mut Summary) -> bool {
    let agrees = match outcome {
        Outcome::Accepted => valid,
        Outcome::Refused(_) => !valid,
        Outcome::Broken(_) => false,
    };
    let tally = summary.tallies.entry(group.kind).or_default();
    tally.cases += 1;
    tally.agree += usize::from(agrees);
    tally.accepted += usize::from(agrees && valid);
    agrees
}

fn told(group: &Group, case: &str, data: &str, valid: bool, outcome: &Outcome, known: Option<String>) -> Disagreement {
    let should = if valid { "should be accepted" } else { "should be refused" };
    let said = match outcome {
        Outcome::Accepted => format!("{should}, and is accepted"),
        Outcome::Refused(why) => format!("{should}, and is refused: {why}"),
        Outcome::Broken(why) => format!("{should}; {why}"),
    };
    Disagreement {
        kind: group.kind,
        case: [group.file.clone(), group.description.clone(), case.to_owned()],
        schema: group.schema.get().to_owned(),
        data: data.to_owned(),
        said,
        cases: 1,
        known,
    }
}
