//! The verdict on a pair: it fits, it breaks with a witness, or it is undecided with a reason.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::schema::path::SchemaPath;

/// Options of a comparison.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is compared.
    pub mode: Mode,
    /// The budget of steps before a pair is undecided. A step is a small piece of work: a million take about a second or less.
    pub budget: u64,
    /// The time of the search before a pair is undecided, even if steps remain. Only a slow machine reaches it. Reading
    /// the schemas before the search and minimizing a witness after it aren't counted.
    pub time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { mode: Mode::Contract, budget: 2_000_000, time: Duration::from_secs(60) }
    }
}

impl Options {
    /// Returns options for plain JSON Schema, with the same budget.
    #[must_use]
    pub fn subsumption() -> Self {
        Self { mode: Mode::Subsumption, ..Self::default() }
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The values that the producer's generated types may send, against those that the consumer's types accept: members
    /// that the producer's schema doesn't declare are never sent, and integers are as wide as the types that hold them.
    Contract,
    /// Every value that is valid under the producer's schema, against the consumer's schema.
    Subsumption,
}

/// The verdict on a pair.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Proven: the consumer accepts everything that the producer may send.
    Fits,
    /// The consumer refuses something that the producer may send: the witness, validated against both sides.
    Breaks(Box<Witness>),
    /// Undecided, for this reason. If the reason is the time of the search, a faster machine may decide the pair.
    Undecided(Why),
}

impl Verdict {
    /// Returns whether the pair is proven to fit.
    #[must_use]
    pub fn fits(&self) -> bool {
        matches!(self, Self::Fits)
    }
}

/// The result of searching for a value of a schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// A small valid value; in contract mode, one that may be sent.
    Value(Value),
    /// Proven: no value is valid.
    Nothing,
    /// Undecided: no such value was found, and it isn't proven that there is none. The field is the reason.
    Undecided(Why),
}

/// A value that the producer may send and the consumer refuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The value.
    pub event: Value,
    /// The place in the value that the consumer refuses: a JSON Pointer, empty for the whole.
    pub pointer: String,
    /// The consumer's keyword that refuses the value.
    pub keyword: String,
    /// The place of that keyword.
    pub path: SchemaPath,
    /// The broken rule in words: `"x" has 1 character, and at least 2 are needed`.
    pub rule: String,
    /// How the witness was validated.
    pub checked: Checked,
}

/// How a witness was validated against both sides. No witness is shown without a validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checked {
    /// The value was evaluated under both schemas, independently of the search.
    Evaluated,
}

/// Why a pair is undecided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The keyword that can't be decided; empty for the pair as a whole.
    pub keyword: String,
    /// The place of the keyword.
    pub path: SchemaPath,
    /// The reason.
    pub reason: String,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.keyword {
            "" => write!(f, "{}: {}", self.path, self.reason),
            keyword => write!(f, "`{keyword}` at {}: {}", self.path, self.reason),
        }
    }
}
