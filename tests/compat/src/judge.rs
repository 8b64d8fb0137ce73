//! One direction of a pair: the comparison's verdict, judged by the source's label and known values.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use twyla_build::compare::{self, Bundle, Options, Verdict};

use crate::cases::{self, Direction};
use crate::oracle;

/// A checker's verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Opinion {
    /// The outer schema accepts every value of the inner.
    Fits,
    /// The outer schema refuses a value of the inner; the value if the checker shows one.
    Breaks(Option<Value>),
    /// Undecided, and why.
    Undecided(String),
}

/// The judgement of a verdict, by label and known values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// The label agrees.
    Agreed,
    /// The label disagrees, and is refuted by a value that the `jsonschema` crate accepts.
    LabelRefuted,
    /// The label disagrees.
    Disagreed,
    /// Undecided, although there is a label.
    Undecided,
    /// There is no label, and the verdict isn't refuted.
    Unlabelled,
    /// There is no label, and the verdict is undecided.
    UnlabelledUndecided,
    /// A known value refutes a safe verdict, or the witness doesn't hold.
    Wrong,
}

/// Twyla's verdict on a direction in plain JSON Schema; formats are annotations.
#[must_use]
pub fn says(direction: &Direction<'_>) -> Opinion {
    let draft = cases::draft(direction.draft);
    let bundle = |text: &str| Bundle::schema(text, draft).map_err(|problems| problems.to_string());
    match (bundle(direction.inner), bundle(direction.outer)) {
        (Ok(inner), Ok(outer)) => match compare::compare(&inner, &outer, &Options::subsumption()) {
            Verdict::Fits => Opinion::Fits,
            Verdict::Breaks(witness) => Opinion::Breaks(Some(witness.event)),
            Verdict::Undecided(why) => Opinion::Undecided(why.to_string()),
        },
        (Err(opinion), _) | (_, Err(opinion)) => Opinion::Undecided(opinion),
    }
}

/// Judges a verdict; `refuted` if a known value is accepted by the inner schema and refused by the outer.
#[must_use]
pub fn worth(direction: &Direction<'_>, opinion: &Opinion, refuted: bool) -> Worth {
    match (opinion, direction.label) {
        (Opinion::Fits, _) if refuted => Worth::Wrong,
        (Opinion::Fits, Some(true)) => Worth::Agreed,
        (Opinion::Fits, Some(false)) => Worth::Disagreed,
        (Opinion::Fits, None) => Worth::Unlabelled,
        (Opinion::Breaks(None), label) => match label {
            Some(true) => Worth::Disagreed,
            Some(false) => Worth::Agreed,
            None => Worth::Unlabelled,
        },
        (Opinion::Breaks(Some(value)), label) => {
            let holds = oracle::refutes(direction.draft, direction.inner, direction.outer, value) == Some(true);
            match label {
                Some(false) if holds => Worth::Agreed,
                Some(true) if holds => Worth::LabelRefuted,
                None if holds => Worth::Unlabelled,
                Some(true) => Worth::Disagreed,
                _ => Worth::Wrong,
            }
        }
        (Opinion::Undecided(_), Some(_)) => Worth::Undecided,
        (Opinion::Undecided(_), None) => Worth::UnlabelledUndecided,
    }
}
