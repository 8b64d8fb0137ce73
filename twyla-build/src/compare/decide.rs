//! Decides a pair of contracts: makes formulas of both sides, searches for a witness and checks it.

use serde_json::Value;

use super::bundle::Bundle;
use super::formula::{Formulas, Lit};
use super::language::Budget;
use super::lower::Lowering;
use super::resolved::Resolved;
use super::shape::Side;
use super::solve::{Answer, Obstacle, Solver};
use super::tables::Tables;
use super::verdict::{Options, Sample, Verdict, Why, Witness};
use super::witness::WitnessCheck;

/// The maximum number of formulas in a search: those of the sides, and one for each value that failed its validation.
const TRIED: usize = 8;
/// The number of evaluated schemas after which no further value is tried.
const MOST_EVALUATED: u64 = 1_000_000;

/// The formulas and tables of both sides.
struct Comparison {
    formulas: Formulas,
    tables: Tables,
    /// Whether the formula of the values that types send also states that types can read them.
    states_reading: bool,
}

impl Comparison {
    fn new(states_reading: bool) -> Self {
        Self { formulas: Formulas::new(), tables: Tables::default(), states_reading }
    }

    /// Returns the formula of the values that one side sends or reads.
    fn side(&mut self, judge: &WitnessCheck, side: Side) -> Lit {
        let mut schemas = Lowering::new(&judge.schemas, &mut self.formulas, &mut self.tables);
        let mut parts = vec![schemas.root(&judge.root)];
        if let Some(types) = &judge.types {
            // redundant, since types can read all that they send; but if the types are unchanged, the reader's negated
            // formula contradicts this part at once, however deep the types are
            if side == Side::Reads || self.states_reading {
                parts.push(types.formula(Side::Reads, &mut schemas));
            }
            if side == Side::Sends {
                parts.push(types.formula(Side::Sends, &mut schemas));
            }
        }
        self.formulas.all(parts)
    }
}

/// Returns a value as a witness, if the first side may send it and the second refuses it.
pub(super) type Confirm = fn(&WitnessCheck, &WitnessCheck, &Value) -> Option<Witness>;

pub(super) fn compare(producer: &Resolved, consumer: &Resolved, options: &Options, confirm: Confirm) -> Verdict {
    search(producer, consumer, options, confirm, Comparison::new(true))
}

fn search(
    producer: &Resolved,
    consumer: &Resolved,
    options: &Options,
    confirm: Confirm,
    mut sides: Comparison,
) -> Verdict {
    let (sender, reader) = (producer.check(), consumer.check());
    let (sends, reads) = (sides.side(sender, Side::Sends), sides.side(reader, Side::Reads));
    let Comparison { mut formulas, tables, .. } = sides;
    let mut solver = Solver::new(&mut formulas, &tables, Budget::new(options.budget, options.time));
    let begun = sender.spent() + reader.spent();
    let is_tried = |parts: &[Lit]| parts.len() < TRIED && sender.spent() + reader.spent() - begun < MOST_EVALUATED;
    let mut parts = vec![sends, !reads];
    let reason = loop {
        match solver.satisfy(parts.iter().copied()) {
            Answer::Nothing if parts.len() == 2 => return Verdict::Fits,
            Answer::Nothing => break None,
            Answer::Unknown(reason) => break Some(solver.reason(reason)),
            Answer::Value(value) => {
                if let Some(witness) = confirm(sender, reader, &value) {
                    return Verdict::Breaks(Box::new(witness));
                }
                // an invalid witness is never shown: try another value
                let Some(other) = solver.other_than(&value).filter(|_| is_tried(&parts)) else { break None };
                parts.push(other);
            }
        }
    };
    // no refused value was found: any value that may be sent may still be refused
    let mut parts = vec![sends];
    solver.budget.raise(options.budget / 10);
    while let Answer::Value(value) = solver.satisfy(parts.iter().copied()) {
        if let Some(witness) = confirm(sender, reader, &value) {
            return Verdict::Breaks(Box::new(witness));
        }
        let Some(other) = solver.other_than(&value).filter(|_| is_tried(&parts)) else { break };
        parts.push(other);
    }
    Verdict::Undecided(why(&tables, &consumer.bundle, options, reason))
}

pub(super) fn sample(schema: &Resolved, options: &Options) -> Sample {
    let judge = schema.check();
    let mut sides = Comparison::new(false);
    let lit = sides.side(judge, Side::Sends);
    let Comparison { mut formulas, tables, .. } = sides;
    let mut solver = Solver::new(&mut formulas, &tables, Budget::new(options.budget, options.time));
    let mut parts = vec![lit];
    let reason = loop {
        match solver.satisfy(parts.iter().copied()) {
            Answer::Nothing if parts.len() == 1 => return Sample::Nothing,
            Answer::Nothing => break None,
            Answer::Unknown(reason) => break Some(solver.reason(reason)),
            Answer::Value(value) => {
                if judge.sends(&value) == Ok(true) {
                    return Sample::Value(Value::clone(&value));
                }
                let Some(other) = solver.other_than(&value).filter(|_| parts.len() < TRIED) else { break None };
                parts.push(other);
            }
        }
    };
    Sample::Undecided(why(&tables, &schema.bundle, options, reason))
}

pub(super) fn no_thread(bundle: &Bundle, error: &std::io::Error) -> Why {
    let reason = format!("a thread can't be started: {error}");
    Why { keyword: String::new(), path: bundle.root_path(), reason }
}

/// Returns why a pair is undecided: the keyword, its place and the reason in words.
fn why(tables: &Tables, consumer: &Bundle, options: &Options, reason: Option<Obstacle>) -> Why {
    let whole = |reason: String| Why { keyword: String::new(), path: consumer.root_path(), reason };
    match reason {
        Some(Obstacle::Opaque(index)) => {
            tables.get_opaque(index).map_or_else(|| whole("a rule can't be decided".to_owned()), Why::from)
        }
        Some(Obstacle::Pattern(index)) => match tables.get_pattern(index) {
            Some(pattern) => Why {
                keyword: "pattern".to_owned(),
                path: pattern.path.clone(),
                reason: format!("the strings that match {} can't be computed exactly", pattern.written),
            },
            None => whole("a pattern can't be decided".to_owned()),
        },
        Some(Obstacle::Format(index)) => match tables.get_format(index) {
            Some(format) => Why {
                keyword: "format".to_owned(),
                path: format.path.clone(),
                reason: format!("the strings of the format {} can't be computed exactly", format.name),
            },
            None => whole("a format can't be decided".to_owned()),
        },
        Some(Obstacle::Steps) => whole(format!(
            "the schema has too many combinations of alternatives: the search stopped after {} steps",
            options.budget
        )),
        Some(Obstacle::Time) => whole(format!(
            "the schema has too many combinations of alternatives: the search stopped after {} seconds",
            options.time.as_secs_f64()
        )),
        Some(Obstacle::Deep) => whole("values would be nested too deep".to_owned()),
        Some(Obstacle::Number) => whole("a number that breaks the rule can't be written".to_owned()),
        Some(Obstacle::Factors) => {
            whole("a common multiple of the factors of `multipleOf` is too long to compute".to_owned())
        }
        Some(Obstacle::Size) => whole("the sizes in the schema are too large to try".to_owned()),
        // values were found, and validation didn't confirm them: most likely because of a rule that the search can't decide
        None => tables.get_opaque(0).map_or_else(
            || whole("the search found a value, but validation by both schemas didn't confirm it".to_owned()),
            Why::from,
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use twyla_generate::random::Random;
    use twyla_generate::{DRAFTS, mutate, schemas};

    use super::*;
    use crate::Draft;
    use crate::compare::witness;
    use crate::stack;

    /// The drafts in the order of [`DRAFTS`].
    const ALL: [Draft; 5] = [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft201909, Draft::Draft202012];

    /// The verdict as a word, with `states_reading` and without.
    fn words(producer: &Bundle, consumer: &Bundle) -> [&'static str; 2] {
        let sides = [producer, consumer].map(Resolved::contract);
        let options = Options { budget: 200_000, ..Options::default() };
        [true, false].map(|states| {
            match search(&sides[0], &sides[1], &options, witness::checked, Comparison::new(states)) {
                Verdict::Fits => "fits",
                Verdict::Breaks(_) => "breaks",
                Verdict::Undecided(_) => "undecided",
            }
        })
    }

    #[track_caller]
    fn agree(pairs: &[(Value, Value, Draft)]) {
        let words = stack::each(pairs, |(old, new, draft)| {
            let bundle = |schema: &Value| Bundle::value(schema, *draft).ok().map(|bundle| bundle.formats(true));
            let (Some(old), Some(new)) = (bundle(old), bundle(new)) else { return None };
            Some([words(&old, &new), words(&new, &old)])
        });
        let (mut fit, mut broke) = (0, 0);
        for (words, (old, new, _)) in words.unwrap().into_iter().zip(pairs) {
            for [with, without] in words.into_iter().flatten() {
                // one search may decide a pair that the other leaves undecided
                assert!(
                    with == without || with == "undecided" || without == "undecided",
                    "{with}, {without}: {old} {new}"
                );
                fit += usize::from(with == "fits");
                broke += usize::from(with == "breaks");
            }
        }
        assert!(fit > 20 && broke > 20, "{fit} fit, {broke} break");
    }

    #[test]
    fn generated_schemas_have_one_verdict_with_and_without_what_types_read() {
        let made = (0..300).flat_map(|index| {
            DRAFTS.into_iter().zip(ALL).map(move |(name, draft)| {
                let mut random = Random::new(&[31, index]);
                let schema = schemas::schema(name, 27, index);
                let changed = mutate::changed(name, &schema, &mut random);
                (schema, changed, draft)
            })
        });
        agree(&made.collect::<Vec<_>>());
    }

    #[test]
    fn alternatives_of_required_members_have_one_verdict_with_and_without_what_types_read() {
        let union = |others: &str, b: &str| {
            format!(
                r#"{{ "oneOf": [{{ "type": "object", "properties": {{ "a": {{ "type": "integer" }} }}, "required": ["a"]{others} }},
                    {{ "type": "object", "properties": {{ "b": {b} }}, "required": ["b"] }}] }}"#
            )
        };
        let bundle = |schema: &str| Bundle::schema(schema, Draft::default()).unwrap().formats(true);
        for b in [r#"{ "type": "integer", "minimum": 2 }"#, r#"{ "type": "integer", "minimum": 2, "maximum": 255 }"#] {
            let sender = bundle(&union(r#", "additionalProperties": { "type": "integer" }"#, b));
            let reader = bundle(r#"{ "type": "object", "properties": { "b": { "minimum": 0, "maximum": 299 } } }"#);
            assert_eq!(words(&sender, &reader), ["breaks"; 2], "{b}");
            let open = bundle(&union("", b));
            assert_eq!(words(&open, &open), ["fits"; 2], "{b}");
        }
    }

    #[test]
    fn real_schemas_have_one_verdict_with_and_without_what_types_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schema-compat");
        let mut pairs = Vec::new();
        for file in ["apicurio", "haggholm", "ibm", "wikimedia"] {
            let text = std::fs::read_to_string(folder.join(format!("{file}.jsonl"))).unwrap();
            pairs.extend(text.lines().filter(|line| !line.trim().is_empty()).take(150).map(|line| {
                let mut case: Value = serde_json::from_str(line).unwrap();
                (case["old"].take(), case["new"].take(), Draft::default())
            }));
        }
        agree(&pairs);
    }
}
