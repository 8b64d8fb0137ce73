//! Decodes and encodes one content with its generated type.

use std::fmt::Debug;
use std::panic;

use twyla_runtime::event::{Emit, Listen};

/// The result for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is decoded, encoded, and decoded again to the same value.
    Accepted,
    /// It is refused, with this error.
    Refused(String),
    /// It is decoded, but a later step fails.
    Broken(String),
}

/// Runs an event's content, given as JSON text.
pub type Check = fn(&str) -> Outcome;

/// Runs a content through its event's type.
#[must_use]
pub fn check<T: Listen + Emit + PartialEq + Debug>(content: &str) -> Outcome {
    match panic::catch_unwind(|| round::<T>(content)) {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Broken("it has panicked".into()),
    }
}

fn round<T: Listen + Emit + PartialEq + Debug>(content: &str) -> Outcome {
    let first = match T::decode(content.as_bytes()) {
        Ok(first) => first,
        Err(refusal) => return Outcome::Refused(refusal.to_string()),
    };
    let mut text = Vec::new();
    if let Err(refusal) = first.encode(&mut text) {
        return Outcome::Broken(format!("what was decoded is not encoded: {refusal}"));
    }
    let shown = String::from_utf8_lossy(&text);
    match T::decode(&text) {
        Err(refusal) => Outcome::Broken(format!("what was encoded, {shown}, is not decoded: {refusal}")),
        Ok(second) if second != first => {
            Outcome::Broken(format!("{first:?} is encoded as {shown}, which is {second:?}"))
        }
        Ok(_) => Outcome::Accepted,
    }
}
