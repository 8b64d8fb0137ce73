//! Searches for values that refute a verdict: generated schemas, one change of each, and values near both, checked with
//! the `jsonschema` crate.

use jsonschema::Validator;
use serde_json::{Value, json};
use twyla_build::compare::{self, Bundle, Mode, Options, Sample, Validity, Verdict};
use twyla_generate::random::Random;
use twyla_generate::{instances, mutate, schemas};

use crate::{cases, oracle};

/// The findings of a run.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The number of compared pairs.
    pub pairs: usize,
    /// The number of verdicts: fits, breaks, undecided.
    pub verdicts: [usize; 3],
    /// The number of values checked against a verdict.
    pub values: usize,
    /// Wrong verdicts, with their counterexamples.
    pub wrong: Vec<String>,
    /// The reasons of undecided pairs.
    pub undecided: Vec<String>,
}

impl Found {
    /// Adds the findings of another run.
    pub fn add(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.verdicts.iter_mut().zip(other.verdicts).for_each(|(sum, one)| *sum += one);
        self.values += other.values;
        self.wrong.extend(other.wrong);
        self.undecided.extend(other.undecided);
    }
}

/// A schema with both validators.
struct Side {
    schema: Value,
    bundle: Bundle,
    validator: Validator,
}

impl Side {
    /// None if one of both refuses it as a schema, or if they read it differently.
    fn new(draft: &str, schema: Value) -> Option<Self> {
        if is_read_differently(draft, &schema) {
            return None;
        }
        let bundle = Bundle::value(&schema, cases::draft(draft)).ok()?;
        let validator = oracle::validator(draft, &schema)?;
        Some(Self { schema, bundle, validator })
    }

    /// Values near the schema about which the crate and Twyla disagree.
    fn disputed(&self, values: &[Value]) -> Vec<String> {
        let validities = compare::validate(&self.bundle, Mode::Subsumption, |validator| {
            values.iter().map(|value| validator.check(value)).collect::<Vec<_>>()
        });
        let validities = validities.unwrap_or_default().into_iter().zip(values);
        let wrong = validities.filter(|(validity, value)| {
            let valid = self.validator.is_valid(value);
            matches!((validity, valid), (Validity::Valid, false) | (Validity::Invalid(_), true)) && !is_disputed(value)
        });
        wrong.map(|(validity, value)| format!("{value} is {validity:?} under {}", self.schema)).collect()
    }

    fn values(&self, draft: &str, random: &mut Random, many: usize) -> Vec<Value> {
        let texts = instances::near(draft, &self.schema, random, many);
        texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    }
}

/// One schema of a draft and one change of it, in both directions, and the laws that apply to every schema.
#[must_use]
pub fn pair(draft: &str, seed: u64, index: u64, many: usize) -> Found {
    let mut found = Found::default();
    let mut random = Random::new(&[seed, index, 77]);
    let schema = schemas::schema(draft, seed, index);
    let changed = mutate::changed(draft, &schema, &mut random);
    let again = mutate::changed(draft, &changed, &mut random);
    let other = schemas::schema(draft, seed, index + 1_000_000);
    let sides: Vec<Option<Side>> = [schema, changed, again, other].map(|schema| Side::new(draft, schema)).into();
    let name = |what: &str| format!("{draft}, seed {seed}, schema {index}, {what}");
    let mut fits = [[false; 4]; 4];
    for (a, b) in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0), (0, 3), (3, 1)] {
        let (Some(inner), Some(outer)) = (&sides[a], &sides[b]) else { continue };
        let verdict = found.compare(draft, &name(&format!("{a} in {b}")), inner, outer, &mut random, many);
        fits[a][b] = verdict == Some(true);
        // fitting is transitive
        let between = [1, 2].into_iter().find(|middle| fits[a][*middle] && fits[*middle][b]);
        if let (Some(middle), Some(false)) = (between, verdict) {
            found.wrong.push(name(&format!("{a} fits in {middle} and that in {b}, but not the first in the last")));
        }
    }
    if let Some(side) = &sides[0] {
        found.laws(draft, &name("law"), side, &mut random, many);
    }
    found
}

impl Found {
    /// Compares two schemas and searches for a value that refutes the verdict. Returns whether it fits.
    fn compare(
        &mut self,
        draft: &str,
        name: &str,
        inner: &Side,
        outer: &Side,
        random: &mut Random,
        many: usize,
    ) -> Option<bool> {
        self.pairs += 1;
        let mut wrong = |what: String| {
            self.wrong.push(format!("{name}: {what}\n    inner {}\n    outer {}", inner.schema, outer.schema));
        };
        match compare::compare(&inner.bundle, &outer.bundle, &Options::subsumption()) {
            Verdict::Fits => {
                self.verdicts[0] += 1;
                let mut values = inner.values(draft, random, many);
                values.extend(outer.values(draft, random, many));
                self.values += values.len();
                if let Some(value) = values.iter().find(|value| {
                    inner.validator.is_valid(value) && !outer.validator.is_valid(value) && !is_disputed(value)
                }) {
                    wrong(format!("fits, but {value} doesn't"));
                }
                Some(true)
            }
            Verdict::Breaks(witness) => {
                self.verdicts[1] += 1;
                self.values += 1;
                let value = &witness.event;
                let holds = inner.validator.is_valid(value) && !outer.validator.is_valid(value);
                if !holds && !is_disputed(value) {
                    wrong(format!(
                        "is said to break by {value} ({} at {}: {})",
                        witness.keyword, witness.path, witness.rule
                    ));
                }
                Some(false)
            }
            Verdict::Undecided(why) => {
                self.verdicts[2] += 1;
                self.undecided.push(format!("{name}: {why}\n    inner {}\n    outer {}", inner.schema, outer.schema));
                None
            }
        }
    }

    /// Checks laws that apply to every schema.
    fn laws(&mut self, draft: &str, name: &str, side: &Side, random: &mut Random, many: usize) {
        let none = json!({ "type": "null", "not": { "type": "null" } });
        let string = json!({ "type": "string" });
        // equivalent schemas, and schemas that are certainly wider or narrower
        for (law, schema, [wider, narrower]) in [
            ("one of it and nothing", around(&side.schema, |inner| json!({ "oneOf": [inner, none] })), [true, true]),
            ("not not", around(&side.schema, |inner| json!({ "not": { "not": inner } })), [true, true]),
            ("any of it and strings", around(&side.schema, |inner| json!({ "anyOf": [string, inner] })), [true, false]),
            (
                "all of it and no string",
                around(&side.schema, |inner| json!({ "allOf": [inner], "not": string })),
                [false, true],
            ),
        ] {
            let Some(other) = schema.and_then(|schema| Side::new(draft, schema)) else { continue };
            let name = format!("{name}: {law}");
            for (holds, inner, outer) in [(wider, side, &other), (narrower, &other, side)] {
                if self.compare(draft, &name, inner, outer, random, many / 4) == Some(false) && holds {
                    self.wrong
                        .push(format!("{name} should fit\n    inner {}\n    outer {}", inner.schema, outer.schema));
                }
            }
        }
        let values = side.values(draft, random, many);
        self.values += values.len();
        self.wrong.extend(side.disputed(&values).into_iter().map(|what| format!("{name}: {what}")));
        match compare::sample(&side.bundle, &Options::subsumption()) {
            Sample::Value(value) if !side.validator.is_valid(&value) && !is_disputed(&value) => {
                self.wrong.push(format!("{name}: {value} is not a value of {}", side.schema));
            }
            Sample::Nothing => {
                if let Some(value) = values.iter().find(|value| side.validator.is_valid(value)) {
                    self.wrong
                        .push(format!("{name}: {value} is a value of {}, which is said to have none", side.schema));
                }
            }
            _ => {}
        }
    }
}

/// Nests the schema in another one, if nothing in it depends on its position.
fn around(schema: &Value, made: impl FnOnce(Value) -> Value) -> Option<Value> {
    let Value::Object(keywords) = schema else { return Some(made(schema.clone())) };
    let text = schema.to_string();
    if text.contains("\"#\"") || text.contains("Anchor") || text.contains("unevaluated") {
        return None;
    }
    let mut inner = keywords.clone();
    let kept: Vec<_> = ["$defs", "definitions"].into_iter().filter_map(|key| Some((key, inner.remove(key)?))).collect();
    let mut outer = made(inner.into());
    if let Value::Object(outer) = &mut outer {
        outer.extend(kept.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    Some(outer)
}

/// Whether a value has an integer that the crate rounds.
fn is_disputed(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|float| float.abs() >= 9_007_199_254_740_992.0),
        Value::Array(items) => items.iter().any(is_disputed),
        Value::Object(members) => members.values().any(is_disputed),
        _ => false,
    }
}

/// Whether the crate reads a schema as the next draft would: only from 2020-12 on does `contains` evaluate items for
/// `unevaluatedItems`.
fn is_read_differently(draft: &str, schema: &Value) -> bool {
    let text = schema.to_string();
    draft == "draft2019-09" && text.contains("\"contains\"") && text.contains("\"unevaluatedItems\"")
}
