//! Parsing of a request's head as a call.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

use crate::contract::session::Session;
use crate::rpc::handler::problem;
use crate::rpc::protocol::attempt::{Answer, CallAttempt};
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

/// The values that the service accepts instead of a refused one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Accepts {
    Method,
    ContentType,
    /// Content codings, only in answers to an unsupported one (RFC 7694, section 3).
    ContentCoding,
}

impl Accepts {
    /// Returns the response header with the accepted value.
    pub(crate) const fn header(self) -> (HeaderName, HeaderValue) {
        match self {
            Self::Method => (ALLOW, HeaderValue::from_static("POST")),
            Self::ContentType => (ACCEPT, HeaderValue::from_static(headers::JSON)),
            Self::ContentCoding => (ACCEPT_ENCODING, HeaderValue::from_static(headers::IDENTITY)),
        }
    }
}

/// Parses a request's head. Returns the call, without its body, and the content length, if the head has one.
///
/// # Errors
/// The answer that names the first invalid header.
pub(crate) fn read(
    headers: &HeaderMap,
    name: &'static str,
    method: &'static str,
) -> Result<(CallAttempt, Option<u64>), HeadRefusal> {
    // of duplicate headers, the first counts
    let header = |name: &HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let no_json = |why| HeadRefusal { answer: problem(415, name, why), accepts: Some(Accepts::ContentType) };
    match header(&CONTENT_TYPE) {
        Some(kind) if headers::is_json(kind) => {}
        Some(kind) => {
            let kind = String::from_utf8_lossy(kind);
            return Err(no_json(format!("the request's content type is `{kind}`, expected {}", headers::JSON)));
        }
        None => return Err(no_json(format!("the request has no content type, expected {}", headers::JSON))),
    }
    let mut codings = headers.get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
    if let Some(coding) = codings.find(|coding| !headers::is_identity(coding)) {
        let coding = String::from_utf8_lossy(coding);
        let detail = format!("the request body is encoded as `{coding}`: send it without a content coding");
        let answer = Answer::problem(&Problem::of_coding(name, detail));
        return Err(HeadRefusal { answer, accepts: Some(Accepts::ContentCoding) });
    }
    let bad = |header: &HeaderName, why: &str| problem(400, name, format!("the header `{header}` {why}"));
    let text = |name: HeaderName| {
        let text = header(&name).map(|value| headers::unescaped(value).ok_or_else(|| bad(&name, "is not valid UTF-8")));
        text.transpose()
    };
    let number = |name: HeaderName, digits, what| {
        let number = header(&name).map(|value| headers::number(value, digits).ok_or_else(|| bad(&name, what)));
        number.transpose()
    };
    let millis = number(TIMEOUT, 12, "is not a number of milliseconds")?;
    let attempt = number(ATTEMPT, 9, "is not a number")?.unwrap_or(1).max(1);
    let (session, key) = (text(SESSION)?, text(KEY)?);
    // an invalid `traceparent` is ignored, as W3C Trace Context, section 3.2 demands
    let trace = header(&PARENT).and_then(TraceContext::read).map(|trace| {
        let state = headers.get(STATE).and_then(|state| state.to_str().ok());
        match state {
            Some(state) => trace.with_state(state),
            None => trace,
        }
    });
    let context = header(&CONTEXT);
    if let Some(context) = context
        && context.len() > headers::MAX_CONTEXT
    {
        let detail = format!("has {} bytes, at most {} are allowed", context.len(), headers::MAX_CONTEXT);
        let errors = vec![Broken { pointer: String::new(), keyword: "maxLength".to_owned(), detail }];
        let problem = Problem::of(422, name, "the context is too large");
        return Err(Answer::problem(&Problem { part: Some(Part::Context), errors, ..problem }).into());
    }
    let attempt = CallAttempt {
        service: "",
        method,
        request: Bytes::new(),
        context: context.map(Bytes::copy_from_slice),
        session: session.as_deref().and_then(Session::read),
        timeout: millis.map(Duration::from_millis),
        number: u32::try_from(attempt).unwrap_or(u32::MAX),
        key: key.map(Arc::from),
        trace,
    };
    Ok((attempt, header(&CONTENT_LENGTH).and_then(|length| headers::number(length, 18))))
}
