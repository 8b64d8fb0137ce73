//! What follows on the failure of a batch.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::Duration;

use super::active_listener::ActiveListener;
use super::batch_answers::InBatch;
use super::batch_fail::BatchFailure;
use super::catch_panic::chain;
use super::dedupe::{NotCommitted, Trouble};
use super::fail::{Fail, FailAction};
use super::handler::Failure;
use super::passing::may_pass;
use super::retry::HERE;
use crate::dead_letter::letter::Reason;
use crate::telemetry::span::ActiveSpan;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// The cause of the failure of a whole batch.
pub(crate) struct Cause {
    reason: Reason,
    /// The error's text.
    pub(crate) error: String,
    action: FailAction,
    may_pass: bool,
}

/// What follows on the failure of a whole batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextForBatch {
    /// The batch is handled again as it is, after this pause in this process.
    Here(Duration),
    /// The events join other batches, after this pause in a retry queue.
    Elsewhere(Duration),
    /// Each event is handled alone, at once.
    Alone,
    /// Each event has failed with the error of the batch.
    FailedEach,
}

impl Cause {
    pub(crate) fn of(reason: Reason, error: BoxError, span: &ActiveSpan) -> Self {
        let text = chain(&*error);
        span.failed(reason.as_str(), Some(&text));
        let action = match reason {
            Reason::Panic => FailAction::Retry,
            _ => FailAction::of(&*error),
        };
        Self { reason, error: text, action, may_pass: may_pass(&*error) }
    }

    /// Returns the result of each event that failed with the batch.
    pub(crate) fn result(&self) -> Result<Result<(), Failure>, String> {
        let error = self.error.clone();
        let fail = match (self.reason, self.action) {
            (Reason::Panic, _) => return Err(error),
            (_, FailAction::Retry | FailAction::Store) => Fail::retry(error),
            (_, FailAction::RetryAfter(after)) => Fail::retry_after(after, error),
            (_, FailAction::DeadLetter) => Fail::park(error),
            (_, FailAction::Drop) => Fail::drop(error),
        };
        Ok(Err(Failure::Handler(fail.into())))
    }

    /// Returns what follows on this failure of the attempt number `attempt`.
    pub(crate) fn next(&self, listening: &ActiveListener, attempt: u32) -> NextForBatch {
        let retry = listening.retry;
        if retry.attempts <= 1 && !listening.takes_transaction() {
            // nothing may be done twice
            return NextForBatch::FailedEach;
        }
        let pause = match (self.action, retry.pause(attempt)) {
            (FailAction::RetryAfter(after), Some(_)) => after,
            (FailAction::Retry, Some(pause)) if self.may_pass => pause,
            _ => return NextForBatch::Alone,
        };
        if pause > HERE && !listening.is_ordered() { NextForBatch::Elsewhere(pause) } else { NextForBatch::Here(pause) }
    }

    /// Logs the failure of a batch of `events` events.
    pub(crate) fn report(&self, listening: &ActiveListener, events: usize, next: NextForBatch, span: &ActiveSpan) {
        let (event, group, error) = (listening.queue.event, listening.queue.group, &self.error);
        span.within(|| match next {
            NextForBatch::Here(pause) | NextForBatch::Elsewhere(pause) => {
                tracing::warn!(event, group, events, error, ?pause, "the batch failed, retrying");
            }
            NextForBatch::Alone => {
                tracing::warn!(event, group, events, error, "the batch failed: each of its events is handled alone");
            }
            NextForBatch::FailedEach => {
                tracing::warn!(event, group, events, error, "the batch failed, and its events aren't retried");
            }
        });
    }
}

/// Returns the failure, unless the store, such as the outbox, made the handler fail: then the batch is handled again as it is.
///
/// If `each` event has its own work, because the listener takes no transaction, only a failure of the whole batch repeats it.
pub(crate) fn store_trouble(failure: BatchFailure, each: bool) -> Result<BatchFailure, Trouble> {
    let cause = match failure {
        BatchFailure::Whole(error) if is_store(&error) => error,
        BatchFailure::Events(events) if !each => match split_store(events) {
            (None, events) => return Ok(BatchFailure::Events(events)),
            (Some((_, trouble)), _) => return Err(trouble),
        },
        failure => return Ok(failure),
    };
    Err(Trouble { cause, busy: false })
}

/// The indices of the events that a store made fail, with the trouble of the first one.
type StoreFailures = (Vec<usize>, Trouble);

/// Separates the events that failed because of the store from those that failed by themselves, by their index.
pub(crate) fn split_store(failed: Vec<(usize, BoxError)>) -> (Option<StoreFailures>, Vec<(usize, BoxError)>) {
    let (store, failed): (Vec<_>, Vec<_>) = failed.into_iter().partition(|(_, error)| is_store(error));
    let indices = store.iter().map(|(index, _)| *index).collect();
    let first = store.into_iter().next();
    (first.map(|(_, cause)| (indices, Trouble { cause, busy: false })), failed)
}

fn is_store(error: &BoxError) -> bool {
    FailAction::of(&**error) == FailAction::Store
}

/// Returns the failure of a batch whose work could not be committed.
pub(crate) fn not_committed(error: NotCommitted) -> Result<(Reason, BatchFailure), Trouble> {
    match error {
        NotCommitted::Handler(error) => Ok((Reason::Handler, BatchFailure::Whole(error))),
        NotCommitted::Store(trouble) => Err(trouble),
    }
}

/// Separates the events that failed, each with its failure, from the others. The events have their index in the handler's batch.
pub(crate) fn failed_with_each(
    events: Vec<(usize, InBatch)>,
    failed: Vec<(usize, BoxError)>,
) -> (Vec<(InBatch, Failure)>, Vec<InBatch>) {
    let mut errors: HashMap<usize, BoxError> = failed.into_iter().collect();
    let (mut with_failure, mut others) = (Vec::new(), Vec::new());
    for (index, member) in events {
        match errors.remove(&index) {
            Some(error) => with_failure.push((member, Failure::Handler(error))),
            None => others.push(member),
        }
    }
    (with_failure, others)
}
