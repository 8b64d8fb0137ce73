//! Whether what one side may send the other one accepts: contracts, and JSON Schemas of any draft, held against each other.
//!
//! [`compare`] decides it for a pair, and what it says is one of three things: it *fits*, which is proven; it *breaks*,
//! which comes with a [`Witness`] that was held to both sides; or it is *undecided*, with what stands in the way.
//!
//! The rooms, in the order in which a pair walks through them: `bundle` is one contract by itself, with all that its
//! references reach (`gather` takes it from all schemas, `contracts` from a folder); `lower` makes formulas (`formula`, with
//! `tables`) of its schemas, whatever draft they are of, and `shape` of what its generated types do beyond them; `solve` looks
//! for a value of which the producer's formula holds and the consumer's doesn't, with `language` for patterns and `decimal`
//! for numbers; `witness` holds what it finds to both sides, by `evaluate`, which shares nothing with that search;
//! `repeats` is what `idempotent` says beyond the values; and `verdict` is what is said. `decide` is the whole way, `validator`
//! the part of it that only holds values to a schema, and `words` has values and limits in words. `schemas` and `pattern` are for
//! what looks into contracts: it sees what is compared here.

mod bundle;
mod contracts;
mod decide;
mod formula;
mod gather;
mod language;
mod lower;
mod parse;
mod pattern;
mod repeats;
mod schemas;
mod shape;
mod solve;
mod tables;
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

/// Decides whether everything that the producer may send is accepted by the consumer.
///
/// The same pair with the same options has the same verdict, always: what is counted for the budget are steps, not time.
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
    if producer == consumer {
        // types read what they write
        return Verdict::Fits;
    }
    let decide = || match decide::compare(producer, consumer, options) {
        values if options.mode == Mode::Contract => repeats::verdict(values, producer, consumer, options),
        values => values,
    };
    stack::large(decide).unwrap_or_else(|error| Verdict::Undecided(decide::no_thread(consumer, &error)))
}

/// A value that is valid under a schema, or that there is none.
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
    stack::large(|| decide::sample(schema, options))
        .unwrap_or_else(|error| Sample::Undecided(decide::no_thread(schema, &error)))
}
