//! Parsing of a request's head as a call.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

use crate::contract::session::Session;
use crate::rpc::handler::problem;
use crate::rpc::protocol::ask::{Answer, Ask, Key};
use crate::rpc::protocol::headers;
use crate::rpc::protocol::problem::{Broken, Part, Problem};
use crate::telemetry::trace::{TRACE_PARENT, TRACE_STATE, TraceContext};

const CONTEXT: HeaderName = HeaderName::from_static(headers::CONTEXT);
const SESSION: HeaderName = HeaderName::from_static(headers::SESSION);
const TIMEOUT: HeaderName = HeaderName::from_static(headers::TIMEOUT);
const ATTEMPT: HeaderName = HeaderName::from_static(headers::ATTEMPT);
const KEY: HeaderName = HeaderName::from_static(headers::KEY);
const PARENT: HeaderName = HeaderName::from_static(TRACE_PARENT);
const STATE: HeaderName = HeaderName::from_static(TRACE_STATE);

/// The answer to a request that isn't a call, with what the service accepts instead.
pub(crate) struct HeadRefusal {
    pub(crate) answer: Answer,
    pub(crate) accepts: Option<Accepts>,
}

impl From<Answer> for HeadRefusal {
    fn from(answer: Answer) -> Self {
        Self { answer, accepts: None }
    }
}

/// What the service accepts instead of a refused part.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Accepts {
    Method,
    ContentType,
    /// Only in answers to an unsupported content coding (RFC 7694, section 3).
    ContentCoding,
}

impl Accepts {
    /// Returns the header that says so.
    pub(crate) const fn header(self) -> (HeaderName, HeaderValue) {
        match self {
            Self::Method => (ALLOW, HeaderValue::from_static("POST")),
            Self::ContentType => (ACCEPT, HeaderValue::from_static(headers::JSON)),
            Self::ContentCoding => (ACCEPT_ENCODING, HeaderValue::from_static(headers::IDENTITY)),
        }
    }
}

/// The raw headers of a call.
#[derive(Default)]
struct CallHeaders<'a> {
    content_type: Option<&'a [u8]>,
    content_length: Option<&'a [u8]>,
    /// A content coding that changes the body.
    content_coding: Option<&'a [u8]>,
    context: Option<&'a [u8]>,
    session: Option<&'a [u8]>,
    timeout: Option<&'a [u8]>,
    attempt: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
    parent: Option<&'a [u8]>,
    state: Option<&'a HeaderValue>,
}

impl<'a> CallHeaders<'a> {
    /// Collects the headers in one pass: most requests have fewer than there are to look up. The first of duplicates counts.
    fn of(headers: &'a HeaderMap) -> Self {
        let mut call_headers = Self::default();
        for (name, value) in headers {
            let place = match name {
                name if *name == CONTENT_TYPE => &mut call_headers.content_type,
                name if *name == CONTENT_LENGTH => &mut call_headers.content_length,
                name if *name == CONTEXT => &mut call_headers.context,
                name if *name == TIMEOUT => &mut call_headers.timeout,
                name if *name == KEY => &mut call_headers.key,
                name if *name == SESSION => &mut call_headers.session,
                name if *name == ATTEMPT => &mut call_headers.attempt,
                name if *name == PARENT => &mut call_headers.parent,
                name if *name == CONTENT_ENCODING => {
                    if !headers::is_identity(value.as_bytes()) {
                        call_headers.content_coding.get_or_insert(value.as_bytes());
                    }
                    continue;
                }
                name if *name == STATE => {
                    call_headers.state.get_or_insert(value);
                    continue;
                }
                _ => continue,
            };
            place.get_or_insert(value.as_bytes());
        }
        call_headers
    }
}

/// Parses a request's head as a call without its body, and its content length.
///
/// # Errors
/// The answer that names the first fault.
pub(crate) fn read(
    headers: &HeaderMap,
    name: &'static str,
    method: &'static str,
) -> Result<(Ask, Option<u64>), HeadRefusal> {
    let call_headers = CallHeaders::of(headers);
    let no_json = |why| HeadRefusal { answer: problem(415, name, why), accepts: Some(Accepts::ContentType) };
    match call_headers.content_type {
        Some(kind) if headers::is_json(kind) => {}
        Some(kind) => {
            let kind = String::from_utf8_lossy(kind);
            return Err(no_json(format!("the request is `{kind}`, expected {}", headers::JSON)));
        }
        None => return Err(no_json(format!("the request has no content type: expected {}", headers::JSON))),
    }
    if let Some(coding) = call_headers.content_coding {
        let coding = String::from_utf8_lossy(coding);
        let detail = format!("the request body is encoded as `{coding}`: send it without a content coding");
        let answer = Answer::problem(&Problem::of_coding(name, detail));
        return Err(HeadRefusal { answer, accepts: Some(Accepts::ContentCoding) });
    }
    let bad = |header: &str, why: &str| problem(400, name, format!("the header `{header}` {why}"));
    let text = |header: &str, value: &[u8]| -> Result<Arc<str>, Answer> {
        headers::unescaped(value).map(Arc::from).ok_or_else(|| bad(header, "is not valid UTF-8"))
    };
    let number =
        |header: &str, value: &[u8], digits, what| headers::number(value, digits).ok_or_else(|| bad(header, what));
    let millis =
        call_headers.timeout.map(|value| number(headers::TIMEOUT, value, 12, "is not a number of milliseconds"));
    let attempt = call_headers.attempt.map(|value| number(headers::ATTEMPT, value, 9, "is not a number"));
    let (millis, attempt) = (millis.transpose()?, attempt.transpose()?.unwrap_or(1).max(1));
    let session = call_headers.session.map(|value| text(headers::SESSION, value)).transpose()?;
    let key = call_headers.key.map(|value| text(headers::KEY, value)).transpose()?;
    // an invalid `traceparent` is ignored, as W3C Trace Context, section 3.2 demands
    let trace = call_headers.parent.and_then(TraceContext::read).map(|trace| {
        let state = call_headers.state.and_then(|state| state.to_str().ok());
        state.map_or(trace.clone(), |state| trace.with_state(state))
    });
    if let Some(context) = call_headers.context
        && context.len() > headers::MAX_CONTEXT
    {
        let detail = format!("has {} bytes, and at most {} are allowed", context.len(), headers::MAX_CONTEXT);
        let errors = vec![Broken { pointer: String::new(), keyword: "maxLength".to_owned(), detail }];
        let problem = Problem::of(422, name, "the context is too large");
        return Err(Answer::problem(&Problem { part: Some(Part::Context), errors, ..problem }).into());
    }
    let ask = Ask {
        service: "",
        method,
        request: Bytes::new(),
        context: call_headers.context.map(Bytes::copy_from_slice),
        session: session.as_deref().and_then(Session::read),
        timeout: millis.map(Duration::from_millis),
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        key: key.map(Key::Given),
        trace,
    };
    Ok((ask, call_headers.content_length.and_then(|length| headers::number(length, 18))))
}
