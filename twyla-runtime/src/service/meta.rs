//! The metadata of an event, which a handler can take as an argument.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::telemetry::trace::TraceContext;

/// The metadata of an event, from its envelope and its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meta {
    /// The event's name, `domain.event_type`.
    pub event: &'static str,
    /// The envelope's version; 1, the newest known version, if the envelope has no integer version.
    pub version: i64,
    /// When the event was emitted; the time of this attempt if the envelope has no timestamp.
    pub timestamp: DateTime<Utc>,
    /// The session of the event, and of all events that the handler emits. A new session if the event has none;
    /// [`session_id`](crate::session_id) of the session's text if that isn't a UUID.
    pub session_id: Uuid,
    /// The message's id, which is the same for each delivery of the event. A CloudEvent without one has its `source` and `id`,
    /// separated by a space; events of the Python original have none.
    pub message_id: Option<String>,
    /// Whether the broker has delivered the event before, so it may have been handled, partly or completely.
    pub redelivered: bool,
    /// The trace context of the span that handles the event. The handler's events and calls belong to this trace automatically.
    pub trace: Option<TraceContext>,
    /// The number of this attempt, from 1. It is kept in the event's headers through the retry queues.
    pub attempt: u32,
    /// How the first attempt failed; `None` if this is the first attempt.
    pub first_failure: Option<FirstFailure>,
}

/// How the first attempt at an event failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirstFailure {
    /// The error with its causes, truncated if it is very long.
    pub error: String,
    /// When the attempt failed.
    pub at: DateTime<Utc>,
}

impl Meta {
    /// Creates the metadata of a fresh event, for unit tests of handler functions.
    #[must_use]
    pub fn new(event: &'static str, session_id: Uuid) -> Self {
        Self {
            event,
            version: crate::contract::envelope::VERSION,
            timestamp: Utc::now(),
            session_id,
            message_id: None,
            redelivered: false,
            trace: None,
            attempt: 1,
            first_failure: None,
        }
    }
}
