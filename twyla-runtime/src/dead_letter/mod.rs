//! Dead letters: events that were not handled, and what becomes of them.

pub(crate) mod letter;
pub(crate) mod triage;
