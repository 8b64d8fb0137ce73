//! Where HTTP comes in: connections with bounds, `POST /rpc/<method>`, and an end in order.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tower_service::Service;

use super::handler::problem;
use super::link::{Answer, Ask, Kind};
use super::problem::{Broken, Part, Problem};
use super::serve::{Served, Server};
use super::settings::Serve;
use super::wire;
use crate::drain::{Phase, Running, stopping};
use crate::error::Error;
use crate::trace::{TRACE_PARENT, TRACE_STATE, TraceContext};

const IDEMPOTENT: HeaderName = HeaderName::from_static(wire::IDEMPOTENT);

/// The routes of a service's RPCs.
pub(crate) fn router(server: &Arc<Server>) -> Router {
    let mut router = Router::new();
    for (method, served) in server.methods() {
        let endpoint = Endpoint { server: server.clone(), served: served.clone() };
        router = router.route_service(&format!("/rpc/{method}"), endpoint);
    }
    router.route("/rpc/{*method}", axum::routing::any(unknown))
}

async fn unknown(request: Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    response(problem(404, path.strip_prefix("/rpc/").unwrap_or(path), format!("nothing is served at {path}")))
}

/// One RPC as a service of tower's.
#[derive(Clone)]
struct Endpoint {
    server: Arc<Server>,
    served: Arc<Served>,
}

impl Service<Request<Body>> for Endpoint {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let endpoint = self.clone();
        Box::pin(async move { Ok(endpoint.answer(request).await) })
    }
}

impl Endpoint {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let name = self.served.registration.name;
        if request.method() != Method::POST {
            let mut response = response(problem(405, name, format!("{} is no way to call it", request.method())));
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        // before anything of it is read: whoever is turned away shall be so at little cost
        if let Err(busy) = self.server.room(&self.served) {
            return response(busy);
        }
        let (head, body) = request.into_parts();
        let ask = match self.ask(&head.headers, head.version, body).await {
            Ok(ask) => ask,
            Err(answer) => return response(answer),
        };
        // and only when it is there: whoever sends slowly shall take nobody's place
        let answer = match self.server.admit(&self.served) {
            Ok(_place) => self.server.answer(&self.served, ask).await,
            Err(busy) => busy,
        };
        response(answer)
    }

    /// The call that a request is.
    async fn ask(&self, headers: &HeaderMap, version: Version, body: Body) -> Result<Ask, Answer> {
        let name = self.served.registration.name;
        let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        match header(CONTENT_TYPE.as_str()) {
            Some(kind) if wire::is_json(kind) => {}
            Some(kind) => {
                let kind = String::from_utf8_lossy(kind);
                return Err(problem(415, name, format!("the request is `{kind}`, and not {}", wire::JSON)));
            }
            None => return Err(problem(415, name, format!("the request has no content type: {} is due", wire::JSON))),
        }
        let bad = |header: &str, why: &str| problem(400, name, format!("the header `{header}` {why}"));
        let text = |header: &str, value: &[u8]| wire::unescaped(value).ok_or_else(|| bad(header, "is no UTF-8"));
        let timeout = match header(wire::TIMEOUT) {
            Some(value) => {
                let millis =
                    wire::number(value, 12).ok_or_else(|| bad(wire::TIMEOUT, "is no number of milliseconds"))?;
                Some(Duration::from_millis(millis))
            }
            None => None,
        };
        let attempt = match header(wire::ATTEMPT) {
            Some(value) => wire::number(value, 9).ok_or_else(|| bad(wire::ATTEMPT, "is no number"))?.max(1),
            None => 1,
        };
        let session = header(wire::SESSION).map(|value| text(wire::SESSION, value)).transpose()?;
        let key = header(wire::KEY).map(|value| text(wire::KEY, value)).transpose()?;
        // what is no place in a trace is none, as the specification has it (W3C Trace Context, section 3.2)
        let trace = header(TRACE_PARENT).and_then(TraceContext::read).map(|trace| {
            let state = headers.get(TRACE_STATE).and_then(|state| state.to_str().ok());
            state.map_or(trace.clone(), |state| trace.with_state(state))
        });
        let context = header(wire::CONTEXT).map(Bytes::copy_from_slice);
        if let Some(context) = &context
            && context.len() > wire::MAX_CONTEXT
        {
            let detail = format!("has {} bytes, and at most {} are allowed", context.len(), wire::MAX_CONTEXT);
            let errors = vec![Broken { pointer: String::new(), keyword: "maxLength".to_owned(), detail }];
            let problem = Problem::of(422, name, "the context is too large");
            return Err(Answer::problem(&Problem { part: Some(Part::Context), errors, ..problem }));
        }
        let request = self.body(headers, version, body).await?;
        Ok(Ask {
            service: "",
            method: self.served.registration.method,
            request,
            context,
            session: session.filter(|session| !session.is_empty()).map(Into::into),
            timeout,
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            key: key.map(Into::into),
            trace,
        })
    }

    /// Reads a request's body, bounded in size and in time.
    async fn body(&self, headers: &HeaderMap, version: Version, mut body: Body) -> Result<Bytes, Answer> {
        let Serve { max_request: most, read_deadline, .. } = self.server.settings;
        let name = self.served.registration.name;
        let too_large = || problem(413, name, format!("the request has more than the {most} bytes that are allowed"));
        let length = headers.get(CONTENT_LENGTH).and_then(|length| wire::number(length.as_bytes(), 18));
        if length.is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let until = Instant::now() + read_deadline;
        let (mut first, mut more) = (Bytes::new(), BytesMut::new());
        loop {
            let frame = timeout_at(until, body.frame()).await;
            let frame =
                frame.map_err(|_| problem(408, name, format!("no whole request came within {read_deadline:?}")))?;
            let data = match frame {
                None => return Ok(if more.is_empty() { first } else { more.freeze() }),
                // whoever would read this has gone, or has sent what is no HTTP
                Some(Err(error)) => {
                    return Err(problem(400, name, format!("the request was cut short ({version:?}): {error}")));
                }
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            if first.len() + more.len() + data.len() > most {
                return Err(too_large());
            }
            if first.is_empty() && more.is_empty() {
                first = data;
                continue;
            }
            if more.is_empty() {
                more.extend_from_slice(&std::mem::take(&mut first));
            }
            more.extend_from_slice(&data);
        }
    }
}

/// An answer as HTTP has it.
fn response(answer: Answer) -> Response<Body> {
    let Answer { status, kind, body, retry_after, idempotent } = answer;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let kind = if kind == Kind::Json { wire::JSON } else { wire::PROBLEM };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(after) = retry_after {
        headers.insert(RETRY_AFTER, after.as_secs().max(1).into());
    }
    if idempotent {
        headers.insert(IDEMPOTENT, HeaderValue::from_static("true"));
    }
    if matches!(status, 408 | 413) {
        // what is left of the request isn't waited for
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A socket that is bound and not yet served.
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds the address that a service is served on.
    pub(crate) async fn to(address: &str) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Serve { address: address.to_owned(), why: error.to_string() };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves an app until the service stops, then lets the calls under way end within the deadline.
    pub(crate) async fn serve(self, app: Router, settings: Serve, mut phase: watch::Receiver<Phase>, drain: Duration) {
        let Self { listener, address } = self;
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(settings.read_deadline);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(u32::try_from(settings.concurrency).unwrap_or(u32::MAX).saturating_add(64))
            .keep_alive_interval(settings.read_deadline);
        let builder = Arc::new(builder);
        let places = Arc::new(Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS)));
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                // never closed
                let place = places.clone().acquire_owned().await.ok();
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                biased;
                () = stopping(&mut phase) => break,
                next = next => next,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, _)) => {
                    let serving = connection(builder.clone(), stream, app.clone(), phase.clone());
                    connections.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                // one that was gone again is nobody's; else there are too many files open, which needs time
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%address, %error, "no connection can be accepted");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(listener);
        tokio::select! {
            () = async { while connections.join_next().await.is_some() {} } => {}
            () = sleep_until(Instant::now() + drain) => {}
            Ok(_) = phase.wait_for(|phase| *phase == Phase::Ending) => {}
        }
        if !connections.is_empty() {
            tracing::warn!(%address, connections = connections.len(), "calls were stopped");
            connections.shutdown().await;
        }
        tracing::info!(%address, "stopped serving");
    }
}

fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}

/// Serves one connection; once the service stops, until the calls on it are answered.
async fn connection(
    builder: Arc<auto::Builder<TokioExecutor>>,
    stream: TcpStream,
    app: Router,
    mut phase: watch::Receiver<Phase>,
) {
    // an answer is written at once
    let _ = stream.set_nodelay(true);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut serving = std::pin::pin!(serving);
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        () = stopping(&mut phase) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error, "a connection has ended");
    }
}

impl Running {
    /// The address that the service's RPCs are served on, if they are served over HTTP here.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The routes of the service's RPCs, `POST /rpc/<method>`, for an app of your own with layers of your own.
    ///
    /// They answer for as long as the service runs. With [`Serve::mounted`] nothing else serves them.
    pub fn router(&self) -> Router {
        self.server.as_ref().map_or_else(Router::new, router)
    }

    /// The address that tells of the service's health, if there is one
    /// ([`Service::operations`](crate::Service::operations)).
    #[must_use]
    pub fn operations(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(|(address, _)| *address)
    }

    /// Tells of the service's health until this is gone.
    pub(crate) fn operate(&mut self, bound: Bound) {
        let (address, routes) = (bound.address(), self.health().operations());
        tracing::info!(%address, "telling of the service's health");
        let mut task = JoinSet::new();
        task.spawn(async move {
            // Its service stops before it does.
            let (_open, phase) = watch::channel(Phase::Running);
            bound.serve(routes, Serve::mounted(), phase, Duration::ZERO).await;
        });
        self.operations = Some((address, task));
    }
}
