//! Compares contracts, or JSON Schemas of any draft: does one side accept everything that the other may send?
//!
//! [`compare`] decides a pair. The verdict is one of three: it *fits*, which is proven; it *breaks*, with a [`Witness`] that
//! was validated against both sides; or it is *undecided*, with the reason.
//!
//! The modules, in the order in which a pair passes them: `bundle` is one contract by itself, with all documents that
//! its references reach (`document` is one of these documents; `gather` collects a bundle from all schemas, `contracts`
//! from a folder, and `parse` from text), and `resolved` has its schemas resolved once for all comparisons with it, by
//! `together` with those of contracts that share its further documents; `lower` makes formulas (`formula`, with
//! `tables`) of its schemas, and `shape` of what its generated types do beyond them; `solve` searches for a value that
//! satisfies the producer's formula and not the consumer's, with `language` for patterns; `witness` validates what it
//! finds against both sides, with an evaluator that shares nothing with the search, and `minimize` makes it smaller;
//! `idempotency` compares `idempotent`; `verdict` is the result. `decide` combines them, and `validator` validates
//! single values. `schemas` and `pattern` give other crates the same view of a contract.

mod bundle;
mod contracts;
mod decide;
mod document;
mod formula;
mod gather;
#[cfg(test)]
mod gather_tests;
mod idempotency;
pub(crate) mod language;
mod lower;
mod minimize;
mod parse;
mod pattern;
mod resolved;
mod schemas;
mod shape;
mod solve;
mod tables;
mod together;
#[cfg(test)]
mod together_tests;
mod validator;
mod verdict;
mod witness;

pub use crate::schema::path::SchemaPath;
pub use bundle::Bundle;
pub use contracts::{ContractKind, ContractSchema, Sources};
pub use pattern::Pattern;
pub use schemas::{Schema, SchemaSet};
pub use validator::{Changes, Checker, Refusal, Validator, Validity, validate};
pub use verdict::{Checked, Mode, Options, Sample, Verdict, Why, Witness};

use crate::stack;
pub(crate) use contracts::all as contracts;
pub(crate) use document::WrittenDocuments;
pub(crate) use resolved::{Resolved, Shared};
pub(crate) use together::{read_together, together};

/// Decides whether the consumer accepts everything that the producer may send.
///
/// The budget counts steps, which are the same on every machine. The time of the search is limited too: a machine so
/// slow or busy that it reaches that limit leaves a pair undecided that a faster machine decides.
///
/// ```
/// use twyla_build::{Draft, compare::{self, Bundle, Options, Verdict}};
///
/// let old = Bundle::schema(r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#, Draft::default())?;
/// let verdict = compare::compare(&old, &old, &Options::default());
/// assert!(matches!(verdict, Verdict::Fits));
/// # Ok::<(), twyla_build::Problems>(())
/// ```
#[must_use]
pub fn compare(producer: &Bundle, consumer: &Bundle, options: &Options) -> Verdict {
    let resolved = |bundle| Resolved::new(bundle, options.mode);
    stack::large(|| confirmed(&resolved(producer), &resolved(consumer), options, witness::smallest))
        .unwrap_or_else(|error| Verdict::Undecided(decide::no_thread(consumer, &error)))
}

/// Searches for a value that is valid under a schema.
///
/// ```
/// use twyla_build::{Draft, compare::{self, Bundle, Options, Sample}};
///
/// let schema = Bundle::schema("false", Draft::default())?;
/// assert!(!matches!(compare::sample(&schema, &Options::default()), Sample::Value(_)));
/// # Ok::<(), twyla_build::Problems>(())
/// ```
#[must_use]
pub fn sample(schema: &Bundle, options: &Options) -> Sample {
    stack::large(|| decide::sample(&Resolved::new(schema, options.mode), options))
        .unwrap_or_else(|error| Sample::Undecided(decide::no_thread(schema, &error)))
}

/// Compares two contracts that are resolved, and makes the witness as small as possible. Needs a large stack.
pub(crate) fn verdict(producer: &Resolved, consumer: &Resolved, budget: u64) -> Verdict {
    confirmed(producer, consumer, &Options { budget, ..Options::default() }, witness::smallest)
}

/// Returns whether a consumer is proven to accept everything that the producer may send. Needs a large stack.
pub(crate) fn fits(producer: &Resolved, consumer: &Resolved, budget: u64) -> bool {
    confirmed(producer, consumer, &Options { budget, ..Options::default() }, witness::checked).fits()
}

fn confirmed(producer: &Resolved, consumer: &Resolved, options: &Options, confirm: decide::Confirm) -> Verdict {
    if producer.bundle == consumer.bundle {
        // a type can read all values that the same type writes
        return Verdict::Fits;
    }
    match decide::compare(producer, consumer, options, confirm) {
        values if producer.mode == Mode::Contract => idempotency::verdict(values, producer, consumer, options),
        values => values,
    }
}
