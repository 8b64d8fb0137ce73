//! What is said of a pair: it fits, it breaks with a witness, or it is undecided and why.

use std::fmt;

use serde_json::Value;

use crate::schema::path::SchemaPath;

/// How two schemas are held against each other.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is compared.
    pub mode: Mode,
    /// How many steps may be taken before a pair is undecided. A step is a small piece of work: a million take about a
    /// second or less.
    pub budget: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { mode: Mode::Contract, budget: 2_000_000 }
    }
}

impl Options {
    /// Plain JSON Schema, with the same budget.
    #[must_use]
    pub fn subsumption() -> Self {
        Self { mode: Mode::Subsumption, ..Self::default() }
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What the producer's generated types may send, against what the consumer's accept: members that the producer's
    /// schema doesn't declare are never sent, and integers are as wide as the types that hold them.
    Contract,
    /// Every value that is valid under the producer's schema, against the consumer's schema.
    Subsumption,
}

/// What is said of a pair.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Everything that the producer may send is accepted: this is proven.
    Fits,
    /// Something that the producer may send is refused: here it is, held to both sides.
    Breaks(Box<Witness>),
    /// Neither could be shown.
    Undecided(Why),
}

impl Verdict {
    /// Whether it is proven that everything is accepted.
    #[must_use]
    pub fn fits(&self) -> bool {
        matches!(self, Self::Fits)
    }
}

/// What is said of one schema: whether there is a value of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// A small value that is valid; in the contract's mode, one that may be sent.
    Value(Value),
    /// No value is valid: this is proven.
    Nothing,
    /// Neither could be shown.
    Undecided(Why),
}

/// A value that the producer may send and the consumer refuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The value.
    pub event: Value,
    /// Where in the value the consumer refuses it: a JSON Pointer, empty for the whole.
    pub pointer: String,
    /// The consumer's keyword that refuses it.
    pub keyword: String,
    /// Where that keyword stands.
    pub path: SchemaPath,
    /// The rule and the value in words: `"x" has 1 character, and at least 2 are needed`.
    pub rule: String,
    /// How it was checked.
    pub checked: Checked,
}

/// How a witness was held to both sides before it was shown. There is no witness that wasn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checked {
    /// An evaluation of the value itself under each of the schemas, which shares nothing with the search for it.
    Evaluated,
}

/// Why a pair is undecided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The keyword that stands in the way; empty where it is the pair as a whole.
    pub keyword: String,
    /// Where it stands.
    pub path: SchemaPath,
    /// What of it can't be decided.
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
