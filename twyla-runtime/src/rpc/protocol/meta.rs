//! What a handler may know of a call beside its request and context.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::telemetry::trace::TraceContext;

/// What a call carries beside its request and context.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallMeta {
    /// The RPC's name, `service.method`.
    pub method: &'static str,
    /// The session that the call belongs to; what a handler emits and calls belongs to the same. It is a new one if the call has
    /// none, and [`session_id`](crate::session_id) of a text that isn't a UUID.
    pub session_id: Uuid,
    /// When the caller gives up, or the service does: then the handler is stopped where it awaits.
    pub deadline: Instant,
    /// Which attempt of the caller's this is, from 1: a later one may be of a call that has been done already.
    pub attempt: u32,
    /// The same for each attempt at one call, and another for each call.
    pub idempotency_key: Option<Arc<str>>,
    /// Where in its trace the call was made. What the handler emits and calls is part of it by itself.
    pub trace: Option<TraceContext>,
}

impl CallMeta {
    /// A meta as a fresh call has it, with half a minute left, for unit tests of handler functions.
    #[must_use]
    pub fn new(method: &'static str, session_id: Uuid) -> Self {
        Self {
            method,
            session_id,
            deadline: Instant::now() + Duration::from_secs(30),
            attempt: 1,
            idempotency_key: None,
            trace: None,
        }
    }
}
