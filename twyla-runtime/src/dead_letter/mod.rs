//! Dead letters: events that could not be handled, and their triage.

pub(crate) mod headers;
pub(crate) mod letter;
pub(crate) mod triage;
