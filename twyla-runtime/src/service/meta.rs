//! The metadata of an event that a handler may take.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::telemetry::trace::TraceContext;

/// What the envelope and the delivery say of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meta {
    /// The event's name, `domain.event_type`.
    pub event: &'static str,
    /// The envelope's version: 1, the newest that is known, if its producer wrote none that is an integer.
    pub version: i64,
    /// When the event was emitted; when it arrived, where its producer didn't say.
    pub timestamp: DateTime<Utc>,
    /// The session that the event belongs to; what a handler emits belongs to the same. It is a new one if the event has none,
    /// and [`session_id`](crate::session_id) of a text that isn't a UUID.
    pub session_id: Uuid,
    /// The message's id, which stays the same when the event is delivered again. Events of the Python original have none.
    pub message_id: Option<String>,
    /// Whether the broker has delivered the event before: it may have been handled, in part or in whole.
    pub redelivered: bool,
    /// Where in its trace the event is being handled. What the handler emits and calls is part of it by itself.
    pub trace: Option<TraceContext>,
    /// Which attempt at this event this is, from 1. It travels with the event through the retry queues.
    pub attempt: u32,
    /// How the first attempt failed, if this isn't the first.
    pub first_failure: Option<FirstFailure>,
}

/// How the first attempt at an event failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirstFailure {
    /// The error with its causes, of very long ones the beginning.
    pub error: String,
    /// When it failed.
    pub at: DateTime<Utc>,
}

impl Meta {
    /// A meta as a fresh event has it, for unit tests of handler functions.
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
