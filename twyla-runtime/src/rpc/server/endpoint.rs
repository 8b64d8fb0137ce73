//! The HTTP endpoint: converts a request at `POST /rpc/<method>` to a call, and its answer to a response.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::{CONNECTION, CONTENT_TYPE, EXPECT, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use axum::routing::any;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};

use super::dispatch::{ServedMethod, Server, busy};
use super::head;
use super::head::{Accepts, HeadRefusal};
use crate::rpc::handler::{problem, too_large};
use crate::rpc::protocol::attempt::{Answer, BodyKind};
use crate::rpc::protocol::headers;
use crate::rpc::protocol::problem::Problem;
use crate::telemetry::metrics;

const IDEMPOTENT: HeaderName = HeaderName::from_static(headers::IDEMPOTENT);

/// Returns the routes of a service's RPCs.
pub(crate) fn router(server: &Arc<Server>) -> Router {
    let mut router = Router::new().route("/rpc/{*method}", any(unknown));
    for served in server.methods() {
        let method = served.registration.method;
        let (server, served) = (server.clone(), served.clone());
        let handler = move |request| async move { answer(&server, &served, request).await };
        router = router.route(&format!("/rpc/{method}"), any(handler));
    }
    router
}

async fn unknown(request: Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    let method = path.strip_prefix("/rpc/").unwrap_or(path);
    let whole = method.rsplit_once('.').map(|(_, method)| format!(": the path has only the method, /rpc/{method}"));
    let detail = format!("no RPC is served at {path}{}", whole.unwrap_or_default());
    metrics::served(metrics::UNKNOWN_METHOD, 404);
    early(problem(404, method, detail), request).await
}

/// Answers any request at the path of an RPC.
async fn answer(server: &Server, served: &ServedMethod, request: Request<Body>) -> Response<Body> {
    let name = served.registration.name;
    if request.method() != Method::POST {
        let detail = format!("{} is not supported: call it with POST", request.method());
        let refused = HeadRefusal { answer: problem(405, name, detail), accepts: Some(Accepts::Method) };
        return refuse(name, refused, request).await;
    }
    // check the permits first, so that rejecting a call costs little
    if let Err(busy) = server.takes(served) {
        return early(busy, request).await;
    }
    let received = Instant::now();
    let (mut attempt, length) = match head::read(request.headers(), name, served.registration.method) {
        Ok(read) => read,
        Err(refused) => return refuse(name, refused, request).await,
    };
    attempt.request = match body(server, served, length, request).await {
        Ok(body) => body,
        Err(answer) => {
            // a rejected call is counted where it is rejected
            if answer.status != 503 {
                metrics::served(name, answer.status);
            }
            return last(response(answer));
        }
    };
    // only now that the body is complete: a slow sender doesn't occupy a permit
    let answer = match server.admit(served) {
        Ok(_permit) => tokio::select! {
            biased;
            answer = server.answer(served, attempt, received) => answer,
            // calls through the user's own app have no other signal that the service has ended
            () = server.ended() => Answer::problem(&Problem::later(name)),
        },
        Err(busy) => busy,
    };
    response(answer)
}

/// Answers a request whose head isn't the head of a call.
async fn refuse(name: &'static str, refused: HeadRefusal, request: Request<Body>) -> Response<Body> {
    let HeadRefusal { answer, accepts } = refused;
    metrics::served(name, answer.status);
    let mut response = early(answer, request).await;
    if let Some((name, value)) = accepts.map(Accepts::header) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The maximum number of bytes that are read of an already answered request, and the maximum time for this.
const LEFT: usize = 64 << 10;
const LEAVING: Duration = Duration::from_secs(1);

/// Answers a request by its head alone. Reads the rest if it is small: a client that still sends while the connection closes
/// may never see its answer.
async fn early(answer: Answer, request: Request<Body>) -> Response<Body> {
    // a client that waits for `100 Continue` hasn't begun to send (RFC 9110, section 10.1.1)
    let waits = request.headers().contains_key(EXPECT);
    let mut body = request.into_body();
    let reading = async {
        let mut read = 0;
        while !body.is_end_stream() {
            match body.frame().await {
                None => break,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => read += frame.into_data().map_or(0, |data| data.len()),
            }
            if read > LEFT {
                return false;
            }
        }
        true
    };
    let is_read = !waits && timeout(LEAVING, reading).await == Ok(true);
    let response = response(answer);
    if is_read { response } else { last(response) }
}

/// Marks the response as the last of its connection: the rest of the request isn't read.
fn last(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Reads a request's body, limited in size and time.
async fn body(
    server: &Server,
    served: &ServedMethod,
    length: Option<u64>,
    mut request: Request<Body>,
) -> Result<Bytes, Answer> {
    let name = served.registration.name;
    let (most, within) = (server.settings.max_request, server.settings.read_deadline);
    if length.is_some_and(|length| length > most as u64) {
        return Err(too_large(name, most));
    }
    let version = request.version();
    let body = request.body_mut();
    let reading = async {
        let mut text = BytesMut::new();
        let mut share: Option<SemaphorePermit<'_>> = None;
        loop {
            let data = match body.frame().await {
                None => break,
                // the client is gone or has sent invalid HTTP
                Some(Err(error)) => {
                    return Err(problem(400, name, format!("the request was cut short ({version:?}): {error}")));
                }
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            if text.len() + data.len() > most {
                return Err(too_large(name, most));
            }
            // most requests arrive in one piece: return that piece without a copy
            if text.is_empty() && body.is_end_stream() {
                return Ok(data);
            }
            text.extend_from_slice(&data);
            if body.is_end_stream() {
                break;
            }
            let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more = server.body_budget.try_acquire_many(bytes);
            let more = more.map_err(|_| busy(served, "the memory for incoming requests is used up"))?;
            match &mut share {
                Some(share) => share.merge(more),
                None => share = Some(more),
            }
        }
        Ok(text.freeze())
    };
    let late = |_| problem(408, name, format!("the request was not complete within {within:?}"));
    timeout(within, reading).await.map_err(late)?
}

/// Rounds a duration up to whole seconds.
fn seconds(after: Duration) -> u64 {
    after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1)
}

/// Converts an answer to an HTTP response.
fn response(answer: Answer) -> Response<Body> {
    let Answer { status, kind, body, retry_after, idempotent, .. } = answer;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let kind = if kind == BodyKind::Json { headers::JSON } else { headers::PROBLEM };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(after) = retry_after {
        headers.insert(RETRY_AFTER, seconds(after).into());
    }
    if idempotent {
        headers.insert(IDEMPOTENT, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn retry_after_is_rounded_up() {
        let said = [0, 1, 999, 1000, 1001, 60_000].map(|millis| super::seconds(Duration::from_millis(millis)));
        assert_eq!(said, [1, 1, 1, 1, 2, 60]);
        assert_eq!(super::seconds(Duration::MAX), u64::MAX);
    }
}
