//! Attempts and answers, independent of the transport: over HTTP or in memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::problem::Problem;
use crate::contract::session::Session;
use crate::telemetry::trace::TraceContext;

/// One attempt at a call.
#[derive(Clone, Debug)]
pub struct CallAttempt {
    /// The service.
    pub(crate) service: &'static str,
    /// The method: the last segment of the path.
    pub(crate) method: &'static str,
    /// The request, a JSON text.
    pub(crate) request: Bytes,
    /// The context, a JSON text in ASCII.
    pub(crate) context: Option<Bytes>,
    pub(crate) session: Option<Session>,
    /// The caller's remaining time.
    pub(crate) timeout: Option<Duration>,
    /// The number of the attempt, from 1.
    pub(crate) number: u32,
    /// The idempotency key.
    pub(crate) key: Option<Arc<str>>,
    pub(crate) trace: Option<TraceContext>,
}

/// A service's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    pub(crate) kind: BodyKind,
    pub(crate) body: Bytes,
    /// The delay after which the caller may try again.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the service declares the RPC repeatable.
    pub(crate) idempotent: bool,
    /// The address that answered, for messages.
    pub(crate) from: Option<String>,
}

/// The kind of a body, by its content type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    Problem,
    /// Not the answer of an RPC: a redirect, another content type, or too large. The text says what is wrong.
    #[cfg_attr(not(feature = "rpc-client"), allow(dead_code, reason = "only an answer over HTTP can be of this kind"))]
    Other(String),
}

/// The status of an answer with an error of the RPC's contract.
pub(crate) const DOMAIN: u16 = 409;

impl Answer {
    fn new(status: u16, kind: BodyKind, body: Bytes) -> Self {
        Self { status, kind, body, retry_after: None, idempotent: false, from: None }
    }

    /// Creates a response.
    pub(crate) fn response(body: Bytes) -> Self {
        Self::new(200, BodyKind::Json, body)
    }

    /// Creates an answer with an error of the RPC's contract.
    pub(crate) fn error(body: Bytes) -> Self {
        Self::new(DOMAIN, BodyKind::Json, body)
    }

    /// Returns the problem details, if the body has any.
    pub(crate) fn read_problem(&self) -> Option<Problem> {
        if self.kind == BodyKind::Problem { Problem::from_json(&self.body) } else { None }
    }

    /// Creates an answer with problem details, for a failure that isn't an error of the RPC's contract.
    pub(crate) fn problem(problem: &Problem) -> Self {
        Self::new(problem.status, BodyKind::Problem, problem.to_json().into())
    }
}

/// An attempt without an answer.
#[derive(Clone, Debug)]
pub(crate) struct AttemptError {
    /// Whether the service may have begun the call. `false` is certain.
    pub(crate) maybe_begun: bool,
    pub(crate) why: String,
}

/// Why an attempt has no destination.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "rpc-client"),
    allow(dead_code, reason = "a call within the process always has a destination")
)]
pub(crate) struct NoRoute {
    pub(crate) why: String,
    /// Whether a retry would fail too.
    pub(crate) for_good: bool,
}
