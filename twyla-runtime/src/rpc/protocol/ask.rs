//! What goes between a caller and a service, whatever carries it: over HTTP, or in memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::problem::Problem;
use crate::contract::session::Session;
use crate::telemetry::trace::TraceContext;

/// One attempt at a call.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The service.
    pub(crate) service: &'static str,
    /// The method: the last segment of the path.
    pub(crate) method: &'static str,
    /// The request, a JSON text.
    pub(crate) request: Bytes,
    /// The context, a JSON text in ASCII.
    pub(crate) context: Option<Bytes>,
    pub(crate) session: Option<Session>,
    /// How long the caller waits.
    pub(crate) timeout: Option<Duration>,
    /// From 1.
    pub(crate) attempt: u32,
    pub(crate) key: Option<Key>,
    pub(crate) trace: Option<TraceContext>,
}

/// What a service knows a call again by.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    /// Said by the caller.
    Given(Arc<str>),
    /// One that no other call has; a text only where one is needed.
    Own(Uuid),
}

impl Key {
    /// One that no other call has.
    pub(crate) fn new() -> Self {
        Self::Own(Uuid::new_v4())
    }

    pub(crate) fn into_text(self) -> Arc<str> {
        match self {
            Self::Given(text) => text,
            Self::Own(id) => (*id.hyphenated().encode_lower(&mut Uuid::encode_buffer())).into(),
        }
    }
}

/// What a service answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    pub(crate) kind: Kind,
    pub(crate) body: Bytes,
    /// When the caller may try again.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the service says that the RPC may be repeated.
    pub(crate) idempotent: bool,
    /// The address that has answered so, where that helps to find out why.
    pub(crate) from: Option<String>,
}

/// What a body is by its content type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Problem,
    /// Something else, which no answer of an RPC is: in words.
    #[cfg_attr(not(feature = "rpc-client"), allow(dead_code, reason = "only others answer so"))]
    Other(String),
}

/// The status of an answer with an error that the RPC has a contract for.
pub(crate) const DOMAIN: u16 = 409;

impl Answer {
    fn new(status: u16, kind: Kind, body: Bytes) -> Self {
        Self { status, kind, body, retry_after: None, idempotent: false, from: None }
    }

    /// What was asked for.
    pub(crate) fn response(body: Bytes) -> Self {
        Self::new(200, Kind::Json, body)
    }

    /// An error that the RPC has a contract for.
    pub(crate) fn error(body: Bytes) -> Self {
        Self::new(DOMAIN, Kind::Json, body)
    }

    /// What it says went wrong, where it is that.
    pub(crate) fn read_problem(&self) -> Option<Problem> {
        if self.kind == Kind::Problem { Problem::from_json(&self.body) } else { None }
    }

    /// Anything else that went wrong.
    pub(crate) fn problem(problem: &Problem) -> Self {
        Self::new(problem.status, Kind::Problem, problem.to_json().into())
    }
}

/// An attempt that got no answer.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    /// Whether the service may have begun with it. `false` is certain.
    pub(crate) maybe_begun: bool,
    pub(crate) why: String,
}

/// Why an attempt has nowhere to go.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "rpc-client"), allow(dead_code, reason = "within the process there is always a way"))]
pub(crate) struct NoRoute {
    pub(crate) why: String,
    /// Whether that stays so.
    pub(crate) for_good: bool,
}
