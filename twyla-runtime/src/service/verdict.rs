//! What is known of a delivery that isn't handled: why it is dead-lettered, its earlier attempts, and where it is to go.

use chrono::Utc;
use tokio::time::Instant;

use super::meta::FirstFailure;
use crate::contract::envelope;
use crate::dead_letter::letter::{self, DeadViolation, Header, Named, Reason};
use crate::transport::Outgoing;

/// Why a delivery is parked.
pub(crate) struct Verdict {
    pub(crate) reason: Reason,
    pub(crate) error: String,
    pub(crate) violations: Vec<DeadViolation>,
    pub(crate) failed: Option<Failed>,
}

impl Verdict {
    pub(crate) fn of(reason: Reason, error: String) -> Self {
        Self { reason, error, violations: Vec::new(), failed: None }
    }
}

/// What is known of earlier attempts. It travels with the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) attempts: u32,
    pub(crate) first: FirstFailure,
}

impl Failed {
    /// After attempt number `attempts` has failed with `error`.
    pub(crate) fn after(earlier: Option<Self>, attempts: u32, error: &str) -> Self {
        let first = earlier.map(|earlier| earlier.first);
        let first =
            first.unwrap_or_else(|| FirstFailure { error: letter::shortened(error, letter::MAX_TEXT), at: Utc::now() });
        Self { attempts, first }
    }

    pub(crate) fn headers(&self) -> [(&'static str, Header); 3] {
        [
            (letter::ATTEMPTS, Header::Number(self.attempts.into())),
            (letter::FIRST_ERROR, Header::Text(self.first.error.clone())),
            (letter::FIRST_FAILED_AT, Header::Text(envelope::write_timestamp(self.first.at))),
        ]
    }
}

/// What is to become of it.
pub(crate) enum Way {
    /// It goes into the dead queue, as this message.
    Dead(Outgoing),
    /// It is handled again then, with the headers that it would have come back with.
    Retry(Instant, Vec<Named>),
}
