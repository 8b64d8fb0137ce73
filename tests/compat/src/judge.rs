//! One direction of a pair: what the comparison says of it, and what that is worth.

use serde_json::Value;
use twyla_build::compare::{self, Bundle, Options, Verdict};

use crate::cases::{self, Direction};
use crate::oracle;

/// What a checker says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Every value of the inner schema is one of the outer.
    Fits,
    /// This value isn't.
    Breaks(Value),
    /// Neither, and why.
    Undecided(String),
}

/// What that is worth beside what the source says, and beside what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// The source says the same.
    Agreed,
    /// The source says else, and is wrong: the value holds under the `jsonschema` crate.
    LabelRefuted,
    /// The source says else.
    Disagreed,
    /// It isn't decided, though the source says something.
    Undecided,
    /// The source says nothing, and what is said isn't known to be wrong.
    Unlabelled,
    /// The source says nothing, and it isn't decided.
    UnlabelledUndecided,
    /// It is called safe though a value is known that isn't accepted, or the value that is shown doesn't hold.
    Wrong,
}

/// What Twyla says of a direction, in plain JSON Schema; formats only tell something.
#[must_use]
pub fn says(direction: &Direction<'_>) -> Said {
    let draft = cases::draft(direction.draft);
    let bundle = |text: &str| Bundle::schema(text, draft).map_err(|problems| problems.to_string());
    match (bundle(direction.inner), bundle(direction.outer)) {
        (Ok(inner), Ok(outer)) => match compare::compare(&inner, &outer, &Options::subsumption()) {
            Verdict::Fits => Said::Fits,
            Verdict::Breaks(witness) => Said::Breaks(witness.event),
            Verdict::Undecided(why) => Said::Undecided(why.to_string()),
        },
        (Err(said), _) | (_, Err(said)) => Said::Undecided(said),
    }
}

/// What was said is worth that; `refuted` where a value is known that is of the inner schema and not of the outer.
#[must_use]
pub fn worth(direction: &Direction<'_>, said: &Said, refuted: bool) -> Worth {
    match (said, direction.label) {
        (Said::Fits, _) if refuted => Worth::Wrong,
        (Said::Fits, Some(true)) => Worth::Agreed,
        (Said::Fits, Some(false)) => Worth::Disagreed,
        (Said::Fits, None) => Worth::Unlabelled,
        (Said::Breaks(value), label) => {
            let holds = oracle::refutes(direction.draft, direction.inner, direction.outer, value) == Some(true);
            match label {
                Some(false) if holds => Worth::Agreed,
                Some(true) if holds => Worth::LabelRefuted,
                None if holds => Worth::Unlabelled,
                Some(true) => Worth::Disagreed,
                _ => Worth::Wrong,
            }
        }
        (Said::Undecided(_), Some(_)) => Worth::Undecided,
        (Said::Undecided(_), None) => Worth::UnlabelledUndecided,
    }
}
