//! The outcome of a delivery that wasn't handled: its cause, its failed attempts, and its destination.

use chrono::Utc;
use tokio::time::Instant;

use super::meta::FirstFailure;
use crate::contract::envelope;
use crate::dead_letter::headers::{self, Header, NamedHeader};
use crate::dead_letter::letter::{DeadViolation, Reason};
use crate::transport::Outgoing;
use crate::truncate::ellipsized;

/// Why a delivery is dead-lettered.
pub(crate) struct DeadLetterCause {
    pub(crate) reason: Reason,
    pub(crate) error: String,
    pub(crate) violations: Vec<DeadViolation>,
    pub(crate) failed: Option<FailedAttempts>,
}

impl DeadLetterCause {
    pub(crate) fn of(reason: Reason, error: String) -> Self {
        Self { reason, error, violations: Vec::new(), failed: None }
    }
}

/// The failed attempts at an event, which are kept in its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedAttempts {
    pub(crate) attempts: u32,
    pub(crate) first: FirstFailure,
    /// Whether the last attempt was one of a batch, whose failure may pass: the event may join a batch again.
    pub(crate) in_batch: bool,
}

impl FailedAttempts {
    /// Adds the failed attempt number `attempts` to the earlier ones; keeps `error` only if there are none.
    pub(crate) fn after(earlier: Option<Self>, attempts: u32, error: &str) -> Self {
        let first = earlier.map(|earlier| earlier.first);
        let first =
            first.unwrap_or_else(|| FirstFailure { error: ellipsized(error, headers::MAX_TEXT), at: Utc::now() });
        Self { attempts, first, in_batch: false }
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, Header)> {
        let in_batch = self.in_batch.then_some((headers::IN_BATCH, Header::Number(1)));
        let headers = [
            (headers::ATTEMPTS, Header::Number(self.attempts.into())),
            (headers::FIRST_ERROR, Header::Text(self.first.error.clone())),
            (headers::FIRST_FAILED_AT, Header::Text(envelope::write_timestamp(self.first.at))),
        ];
        headers.into_iter().chain(in_batch)
    }
}

/// The destination of a delivery that couldn't be requeued yet.
pub(crate) enum Destination {
    /// The dead queue, with the message to publish.
    Dead(Outgoing),
    /// Another attempt at this time, with the headers that the message would have had in its retry queue.
    Retry(Instant, Vec<NamedHeader>),
}
