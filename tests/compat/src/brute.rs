//! Looks for values that show a verdict to be wrong: schemas made from a seed, one change of each, and values near both,
//! held to the `jsonschema` crate.

use jsonschema::Validator;
use serde_json::{Value, json};
use twyla_build::compare::{self, Bundle, Mode, Options, Sample, Validity, Verdict};
use twyla_generate::random::Random;
use twyla_generate::{instances, mutate, schemas};

use crate::{cases, oracle};

/// What was found in a run.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Pairs that were compared.
    pub pairs: usize,
    /// What was said of them: it fits, it breaks, it is undecided.
    pub said: [usize; 3],
    /// Values that were held to a verdict.
    pub values: usize,
    /// Verdicts that are wrong, with what shows it.
    pub wrong: Vec<String>,
    /// Why pairs are undecided.
    pub undecided: Vec<String>,
}

impl Found {
    /// Both runs together.
    pub fn add(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.said.iter_mut().zip(other.said).for_each(|(sum, one)| *sum += one);
        self.values += other.values;
        self.wrong.extend(other.wrong);
        self.undecided.extend(other.undecided);
    }
}

/// A schema with all that it is held to.
struct Side {
    schema: Value,
    bundle: Bundle,
    validator: Validator,
}

impl Side {
    /// None where it is no schema to one of both, or one that they read differently.
    fn new(draft: &str, schema: Value) -> Option<Self> {
        if is_read_differently(draft, &schema) {
            return None;
        }
        let bundle = Bundle::value(&schema, cases::draft(draft)).ok()?;
        let validator = oracle::validator(draft, &schema)?;
        Some(Self { schema, bundle, validator })
    }

    /// Values near the schema that the crate and Twyla say different things of.
    fn disputed(&self, values: &[Value]) -> Vec<String> {
        let said = compare::validate(&self.bundle, Mode::Subsumption, |validator| {
            values.iter().map(|value| validator.check(value)).collect::<Vec<_>>()
        });
        let said = said.unwrap_or_default().into_iter().zip(values);
        let wrong = said.filter(|(said, value)| {
            let valid = self.validator.is_valid(value);
            matches!((said, valid), (Validity::Valid, false) | (Validity::Invalid(_), true)) && !is_disputed(value)
        });
        wrong.map(|(said, value)| format!("{value} is {said:?} under {}", self.schema)).collect()
    }

    fn values(&self, draft: &str, random: &mut Random, many: usize) -> Vec<Value> {
        let texts = instances::near(draft, &self.schema, random, many);
        texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    }
}

/// One schema of a draft and one change of it, both ways, and the laws that hold of any.
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
        // what fits in what fits fits
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
    /// Compares two schemas and looks for a value that shows the verdict to be wrong. What was said: whether it fits.
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
                self.said[0] += 1;
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
                self.said[1] += 1;
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
                self.said[2] += 1;
                self.undecided.push(format!("{name}: {why}\n    inner {}\n    outer {}", inner.schema, outer.schema));
                None
            }
        }
    }

    /// What holds of every schema.
    fn laws(&mut self, draft: &str, name: &str, side: &Side, random: &mut Random, many: usize) {
        let none = json!({ "type": "null", "not": { "type": "null" } });
        let string = json!({ "type": "string" });
        // the same schema, said otherwise; and schemas that are wider or narrower for sure
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
                self.wrong.push(format!("{name}: {value} is no value of {}", side.schema));
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

/// The schema in another one, where nothing in it says where it stands.
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

/// Whether a value has an integer that the crate reads as a rounded number.
fn is_disputed(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|float| float.abs() >= 9_007_199_254_740_992.0),
        Value::Array(items) => items.iter().any(is_disputed),
        Value::Object(members) => members.values().any(is_disputed),
        _ => false,
    }
}

/// Whether the crate reads a schema as the next draft has it: only from 2020-12 on does `contains` look at items so that
/// `unevaluatedItems` leaves them out.
fn is_read_differently(draft: &str, schema: &Value) -> bool {
    let text = schema.to_string();
    draft == "draft2019-09" && text.contains("\"contains\"") && text.contains("\"unevaluatedItems\"")
}
