//! Decides a pair: makes formulas of both sides, searches for a witness and checks it.

use serde_json::Value;

use super::bundle::Bundle;
use super::formula::{Formulas, Lit};
use super::lower::Lowering;
use super::shape::Side;
use super::solve::{Answer, Obstacle, Solver};
use super::tables::Tables;
use super::verdict::{Options, Sample, Verdict, Why};
use super::witness::{self, WitnessCheck};

/// Limit of further values tried after a found one fails its validation.
const TRIED: usize = 8;

/// The formulas and tables of both sides.
struct Comparison {
    formulas: Formulas,
    tables: Tables,
}

impl Comparison {
    fn new() -> Self {
        Self { formulas: Formulas::new(), tables: Tables::default() }
    }

    /// Returns the formula of one side.
    fn side(&mut self, judge: &WitnessCheck, side: Side) -> Lit {
        let lit = Lowering::new(&judge.schemas, &mut self.formulas, &mut self.tables).root(&judge.root);
        let shape = judge.types.as_ref().map_or(Lit::TRUE, |types| types.formula(side, &mut self.formulas));
        self.formulas.all([lit, shape])
    }
}

pub(super) fn compare(producer: &Bundle, consumer: &Bundle, options: &Options) -> Verdict {
    let (sender, reader) = (WitnessCheck::new(producer, options.mode), WitnessCheck::new(consumer, options.mode));
    let mut sides = Comparison::new();
    let (sends, reads) = (sides.side(&sender, Side::Sends), sides.side(&reader, Side::Reads));
    let Comparison { mut formulas, tables } = sides;
    let mut solver = Solver::new(&mut formulas, &tables, options.budget);
    let mut parts = vec![sends, !reads];
    let reason = loop {
        match solver.satisfy(parts.iter().copied()) {
            Answer::Nothing if parts.len() == 2 => return Verdict::Fits,
            Answer::Nothing => break None,
            Answer::Unknown(reason) => break Some(reason),
            Answer::Value(value) => {
                if let Some(witness) = witness::checked(&sender, &reader, &value) {
                    return Verdict::Breaks(Box::new(witness));
                }
                // an invalid witness is never shown; try another one
                let Some(other) = solver.other_than(&value).filter(|_| parts.len() < TRIED) else { break None };
                parts.push(other);
            }
        }
    };
    // a value that may be sent may still be refused
    let mut parts = vec![sends];
    solver.steps = solver.steps.max(options.budget / 10);
    while let Answer::Value(value) = solver.satisfy(parts.iter().copied()) {
        if let Some(witness) = witness::checked(&sender, &reader, &value) {
            return Verdict::Breaks(Box::new(witness));
        }
        let Some(other) = solver.other_than(&value).filter(|_| parts.len() < TRIED) else { break };
        parts.push(other);
    }
    Verdict::Undecided(why(&tables, consumer, options, reason))
}

pub(super) fn sample(schema: &Bundle, options: &Options) -> Sample {
    let judge = WitnessCheck::new(schema, options.mode);
    let mut sides = Comparison::new();
    let lit = sides.side(&judge, Side::Sends);
    let Comparison { mut formulas, tables } = sides;
    let mut solver = Solver::new(&mut formulas, &tables, options.budget);
    let mut parts = vec![lit];
    let reason = loop {
        match solver.satisfy(parts.iter().copied()) {
            Answer::Nothing if parts.len() == 1 => return Sample::Nothing,
            Answer::Nothing => break None,
            Answer::Unknown(reason) => break Some(reason),
            Answer::Value(value) => {
                if judge.sends(&value) == Ok(true) {
                    return Sample::Value(Value::clone(&value));
                }
                let Some(other) = solver.other_than(&value).filter(|_| parts.len() < TRIED) else { break None };
                parts.push(other);
            }
        }
    };
    Sample::Undecided(why(&tables, schema, options, reason))
}

pub(super) fn no_thread(bundle: &Bundle, error: &std::io::Error) -> Why {
    let reason = format!("no thread can be started: {error}");
    Why { keyword: String::new(), path: bundle.root_path(), reason }
}

/// Returns the obstacle in words.
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
                reason: format!("the texts that match {} can't be computed exactly", pattern.written),
            },
            None => whole("a pattern can't be decided".to_owned()),
        },
        Some(Obstacle::Format(index)) => match tables.get_format(index) {
            Some(format) => Why {
                keyword: "format".to_owned(),
                path: format.path.clone(),
                reason: format!("the texts of the format {} can't be computed exactly", format.name),
            },
            None => whole("a format can't be decided".to_owned()),
        },
        Some(Obstacle::Steps) => whole(format!("its alternatives multiply: undecided after {} steps", options.budget)),
        Some(Obstacle::Deep) => whole("values would be nested too deep".to_owned()),
        Some(Obstacle::Number) => whole("a number that would break it can't be written".to_owned()),
        Some(Obstacle::Size) => whole("sizes are too large to try".to_owned()),
        None => whole("a value was found, but validation by both schemas didn't confirm it".to_owned()),
    }
}
