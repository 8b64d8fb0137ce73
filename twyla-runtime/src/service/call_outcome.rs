//! The outcome of a call of the handler, for one delivery.

use std::time::Duration;

use super::handler::Failure;

/// The outcome of a call for one delivery.
pub(crate) enum CallOutcome {
    /// The group has handled the event before.
    Skipped,
    /// The event was handled, and acked together with the others of its batch.
    Acked,
    /// The result of the handler; a panic is the outer error.
    Ended(Result<Result<(), Failure>, String>),
    /// The batch of the event failed for a cause that may pass: the event is handled again, in a batch, after this pause.
    Later(Duration),
}
