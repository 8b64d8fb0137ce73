//! The metadata of a call for its handler.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::telemetry::trace::TraceContext;

/// The metadata of a call, besides its request and context.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallMeta {
    /// The RPC's name, `service.method`.
    pub method: &'static str,
    /// The session of the call; the handler's own events and calls belong to it too. A new one if the call has no session;
    /// the [`session_id`](crate::session_id) of the call's text if that isn't a UUID.
    pub session_id: Uuid,
    /// The time at which the caller or the service gives up. The handler is then cancelled at its next await point.
    pub deadline: Instant,
    /// The number of the caller's attempt, from 1. If it is greater than 1, an earlier attempt may have succeeded.
    pub attempt: u32,
    /// The key of the call: unique to the call, and equal in all attempts at it.
    pub idempotency_key: Option<Arc<str>>,
    /// The trace context of the call. The handler's own events and calls become part of the trace automatically.
    pub trace: Option<TraceContext>,
}

impl CallMeta {
    /// Creates the metadata of a new call whose deadline is in 30 seconds, for unit tests of handlers.
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
