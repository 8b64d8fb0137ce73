//! Runs every group of a draft, and prints the summary as one line of JSON.

use std::collections::{BTreeMap, HashMap};
use std::{env, io, panic};

use jsonschema::{Draft, Validator};
use serde_json::Value;
use twyla_generate::instances;
use twyla_generate::random::Random;

use crate::group::{Besides, Group, Kind, Placement, Prepared, Probe, Way};
use crate::known;
use crate::run::{Check, Outcome};
use crate::summary::{Counts, Disagreement, Summary};
use crate::validate::{CommandLine, Content};

/// The number of values for each generated schema, unless `TWYLA_CONFORMANCE_INSTANCES` sets it.
const INSTANCES: usize = 60;

/// The program of a draft.
///
/// # Panics
/// If the build script's output can't be read, or the summary can't be printed.
pub fn main(draft: &str, prepared: &str, checks: &[(usize, &[Check])]) {
    let prepared: Prepared = serde_json::from_str(prepared).expect("the build script has written it");
    // a panic is a disagreement, reported with its case
    panic::set_hook(Box::new(|_| ()));
    // the stack of a service's worker thread, which is smaller than the main thread's
    let summary = std::thread::scope(|scope| scope.spawn(|| Run::new(draft, checks).all(prepared)).join());
    serde_json::to_writer(io::stdout(), &summary.expect("panics are caught")).expect("stdout is open");
}

/// A value with its expected result.
struct Valued {
    /// The description; empty if it is generated.
    description: String,
    text: String,
    value: Value,
    valid: bool,
}

struct Run<'a> {
    draft: &'a str,
    checks: HashMap<usize, &'a [Check]>,
    command: Option<CommandLine>,
    summary: Summary,
    /// The checked entries of the list of known disagreements, and whether something disagrees.
    excused: BTreeMap<String, bool>,
}

impl<'a> Run<'a> {
    fn new(draft: &'a str, checks: &[(usize, &'a [Check])]) -> Self {
        let here = env::current_exe().unwrap_or_default();
        let command = here.parent().and_then(CommandLine::beside);
        let summary = Summary { draft: draft.into(), ..Summary::default() };
        Self { draft, checks: checks.iter().copied().collect(), command, summary, excused: BTreeMap::new() }
    }

    fn all(mut self, prepared: Prepared) -> Summary {
        self.summary.suite = prepared.suite;
        self.summary.unreadable = prepared.unreadable;
        self.summary.unserved = prepared.unserved;
        self.summary.unplaced = prepared.unplaced;
        for (number, group) in prepared.groups.iter().enumerate() {
            self.counts(group).count(&group.way);
            match self.checks.get(&number).copied() {
                Some(checks) => self.group(group, checks),
                None => self.refused(group),
            }
        }
        self.summary.excused = self.excused;
        self.summary
    }

    fn counts(&mut self, group: &Group) -> &mut Counts {
        match group.placement {
            Placement::Shared => self.summary.tallies.entry(group.kind).or_default(),
            placement => self.summary.placements.entry(placement).or_default().entry(group.kind).or_default(),
        }
    }

    /// Compares the results of a group's values with the expected ones.
    fn group(&mut self, group: &Group, checks: &[Check]) {
        let values = match group.kind {
            Kind::Generated => self.generated(group),
            _ => written(group),
        };
        let mut contents = Vec::new();
        for (probe, check) in group.probes.iter().zip(checks) {
            for valued in &values {
                let [before, behind] = &probe.around;
                let text = format!("{before}{}{behind}", valued.text);
                let outcome = check(&text);
                let valid = is_valid(valued, probe);
                if group.kind == Kind::Generated && valid && known::digits(&valued.value, &outcome) {
                    self.counts(group).digits += 1;
                    continue;
                }
                self.judge(group, valued, &text, valid, &outcome);
                contents.push(Content { event: probe.event.clone(), text, outcome });
            }
        }
        self.validated(group, &contents);
    }

    fn judge(&mut self, group: &Group, valued: &Valued, text: &str, valid: bool, outcome: &Outcome) {
        let agrees = match outcome {
            Outcome::Accepted => valid,
            Outcome::Refused(_) => !valid,
            Outcome::Broken(_) => false,
        };
        let counts = self.counts(group);
        counts.cases += 1;
        counts.agree += usize::from(agrees);
        counts.accepted += usize::from(agrees && valid);
        let known = self.known(group, &valued.description);
        if let Some((entry, _)) = &known
            && group.placement == Placement::Shared
        {
            *self.excused.entry(entry.clone()).or_default() |= !agrees;
        }
        if !agrees {
            let should = if valid { "should be accepted" } else { "should be refused" };
            let result = match outcome {
                Outcome::Accepted => format!("{should}, and is accepted"),
                Outcome::Refused(why) => format!("{should}, and is refused: {why}"),
                Outcome::Broken(why) => format!("{should}; {why}"),
            };
            self.disagree(group, &valued.description, text, result, 1, known.map(|(_, why)| why));
        }
    }

    /// The entry of the list of known disagreements for a case, with its reason.
    fn known(&self, group: &Group, case: &str) -> Option<(String, String)> {
        let names = [&*group.file, &*group.description, case];
        let known = (!matches!(group.kind, Kind::Required | Kind::Generated)).then(|| known::find(self.draft, names));
        known.flatten().map(|known| (known.to_string(), known.why.to_owned()))
    }

    /// All cases of a group that the build refuses are disagreements.
    fn refused(&mut self, group: &Group) {
        let Way::Refused(problem) = &group.way else { return };
        let known = self.known(group, "*");
        if let Some((entry, _)) = &known {
            self.excused.insert(entry.clone(), true);
        }
        self.counts(group).cases += group.cases.len();
        let result = format!("the build refuses the schema: {problem}");
        self.disagree(group, "*", "", result, group.cases.len().max(1), known.map(|(_, why)| why));
    }

    /// Runs contents through `cargo twyla validate`, which must agree with their event's type.
    fn validated(&mut self, group: &Group, contents: &[Content]) {
        let (Some(command), Some(folder)) = (&self.command, &group.folder) else { return };
        let result = match command.validate(self.draft, folder, contents) {
            Ok(result) => result,
            Err(error) => return self.disagree(group, "*", "", format!("`cargo twyla validate`: {error}"), 1, None),
        };
        self.summary.validated += contents.len();
        for (content, result) in contents.iter().zip(result) {
            let agrees = match (&content.outcome, &result) {
                (Outcome::Accepted, result) => result.is_none(),
                (_, result) => result.is_some(),
            };
            if agrees || content.is_refused_for_digits() {
                continue;
            }
            let result = result.unwrap_or_else(|| "it keeps the contract".to_owned());
            let result = format!("`cargo twyla validate` says: {result}; the type says: {:?}", content.outcome);
            self.disagree(group, "validate", &content.text, result, 1, None);
        }
    }

    fn disagree(&mut self, group: &Group, case: &str, data: &str, result: String, cases: usize, known: Option<String>) {
        self.summary.disagreements.push(Disagreement {
            kind: group.kind,
            placement: group.placement,
            case: [group.file.clone(), group.description.clone(), case.to_owned()],
            schema: group.schema.get().to_owned(),
            data: data.to_owned(),
            result,
            cases,
            known,
        });
    }

    /// Values near a generated schema, with the `jsonschema` crate's result.
    fn generated(&self, group: &Group) -> Vec<Valued> {
        let schema: Value = serde_json::from_str(group.schema.get()).expect("the build script has generated it");
        let oracle = oracle(self.draft, &schema);
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
        let many = number("TWYLA_CONFORMANCE_INSTANCES").unwrap_or(INSTANCES);
        let seed = group.description.bytes().map(u64::from).collect::<Vec<_>>();
        let texts = instances::near(self.draft, &schema, &mut Random::new(&seed), many);
        let values = texts.into_iter().filter_map(|text| {
            let value: Value = serde_json::from_str(&text).expect("is generated as JSON");
            let valid = oracle.is_valid(&value);
            let broken = || oracle.iter_errors(&value).map(|error| error.schema_path().to_string());
            let counts = valid || !known::rounds(&value, broken());
            counts.then_some(Valued { description: String::new(), text, value, valid })
        });
        values.collect()
    }
}

/// The values of a group of the suite.
fn written(group: &Group) -> Vec<Valued> {
    let values = group.cases.iter().map(|case| Valued {
        description: case.description.clone(),
        // the text has line breaks only between the parts of a value
        text: case.data.get().replace(['\n', '\r'], " "),
        // a number out of range is not an object, and not null
        value: serde_json::from_str(case.data.get()).unwrap_or(Value::Bool(true)),
        valid: case.valid,
    });
    values.collect()
}

/// Whether a value is valid in its placement.
fn is_valid(valued: &Valued, probe: &Probe) -> bool {
    match probe.besides {
        Besides::Nothing => valued.valid,
        Besides::Object => valued.valid && valued.value.is_object(),
        Besides::OrNull => valued.valid || valued.value.is_null(),
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
