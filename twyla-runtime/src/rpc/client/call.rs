//! The RPC client: encodes a request under its contract, sends it as often as is safe, and decodes the answer.

use std::any::TypeId;
use std::collections::HashSet;
use std::fmt;
use std::future::{Future, IntoFuture, ready};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::retry::{self, RetryDecision, RetryPolicy};
use super::route::Link;
use crate::bus::config::FOREVER;
use crate::contract::session::Session;
use crate::rpc::protocol::attempt::{Answer, AttemptError, BodyKind, CallAttempt, DOMAIN, NoRoute};
use crate::rpc::protocol::encoded::encoded;
use crate::rpc::protocol::error::{CallError, Side};
use crate::rpc::protocol::headers;
use crate::rpc::protocol::meta::CallMeta;
use crate::rpc::protocol::problem::{Broken, Part, Problem};
use crate::rpc::server::dispatch::Server;
use crate::telemetry::trace::TraceContext;
use crate::telemetry::{metrics, span};
use twyla_codec::event::{AsContext, EventContext};
use twyla_codec::rpc::{Body, Method, NoError};
use twyla_codec::validate::Refusal;

/// A client of RPCs, over HTTP or within this process. Clones share connections, addresses and the retry budget.
#[derive(Clone)]
pub struct Rpc {
    inner: Arc<Inner>,
    session: Option<Uuid>,
    trace: Option<TraceContext>,
    /// The deadline of the call being handled, if this client belongs to a handler.
    until: Option<Instant>,
}

struct Inner {
    link: Link,
    retry_policy: RetryPolicy,
    /// The RPCs that a service has declared repeatable.
    repeatable: RwLock<HashSet<&'static str>>,
}

impl Rpc {
    /// Creates a client of the services in this process, for tests and for programs of a single process.
    ///
    /// A service is callable if it was given this client with [`Service::rpc`](crate::Service::rpc) and has started.
    /// Requests, contexts and answers are encoded, checked against their contracts and decoded as they are over HTTP.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::over(Link::in_memory(None), RetryPolicy::default())
    }

    pub(crate) fn over(link: Link, retry_policy: RetryPolicy) -> Self {
        let inner = Inner { link, retry_policy, repeatable: RwLock::default() };
        Self { inner: Arc::new(inner), session: None, trace: None, until: None }
    }

    /// Returns a client whose calls belong to the session `id`. For a session that other programs identify by a text, use
    /// [`session_id`](crate::session_id) of that text.
    #[must_use]
    pub fn with_session(&self, id: Uuid) -> Self {
        Self { session: Some(id), ..self.clone() }
    }

    /// Returns a client whose calls are part of a trace.
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        Self { trace: Some(trace), ..self.clone() }
    }

    /// Returns the client for a handler's calls: in the session and trace of the call that it serves, and within its
    /// deadline.
    pub(crate) fn within_call(&self, meta: &CallMeta) -> Self {
        let session = Some(meta.session_id);
        Self { session, trace: meta.trace.clone(), until: Some(meta.deadline), ..self.clone() }
    }

    /// Returns the client for a listener's calls: in the session and trace of its event.
    pub(crate) fn within_event(&self, session: Uuid, trace: Option<&TraceContext>) -> Self {
        Self { session: Some(session), trace: trace.cloned(), ..self.clone() }
    }

    /// Returns the client for the calls of a batch listener: in the trace of the batch, and without a session.
    pub(crate) fn within_batch(&self, trace: Option<&TraceContext>) -> Self {
        Self { session: None, trace: trace.cloned(), ..self.clone() }
    }

    /// Calls an RPC.
    ///
    /// Checks request and context against their contracts first. The call belongs to the session and the trace of the
    /// handler that has this [`Rpc`] as an argument, or to the session of [`with_session`](Self::with_session), or to a new
    /// session.
    ///
    /// After a failure the call is retried if that is safe: if the service had not begun it; otherwise only if the request's
    /// schema declares it `idempotent`, the service does, or an [idempotency key](Calling::idempotency_key) is set. The
    /// deadline of the call that a handler serves also limits the handler's own calls.
    ///
    /// ```text
    /// let booking = rpc.call::<GetBooking>(GetBookingRequest::new("A1324B"), &context).await?;
    /// ```
    ///
    /// # Errors
    /// [`CallError`], whose variants differ in what the caller can do.
    ///
    /// # Cancel safety
    /// Encodes when called, sends when polled. If the future is dropped, the connection is closed or the stream reset, and
    /// the service cancels the handler when it notices.
    pub fn call<M: Method>(
        &self,
        request: M::Request,
        context: impl AsContext<M::Context>,
    ) -> Calling<M::Response, M::Error> {
        Calling {
            encoded: encode::<M>(&request, context.as_context()),
            rpc: self.clone(),
            deadline: self.inner.retry_policy.deadline,
            key: None,
            run: run::<M>,
        }
    }

    /// Makes a service of this process callable, if this is an in-memory client.
    pub(crate) fn attach(&self, server: &Arc<Server>) {
        self.inner.link.attach(server);
    }

    /// Returns whether this is an in-memory client.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        self.inner.link.is_in_memory()
    }
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rpc").field("link", &self.inner.link).field("session", &self.session).finish_non_exhaustive()
    }
}

/// The encoded parts of a call, shared by its attempts.
struct Encoded {
    request: Bytes,
    context: Bytes,
}

/// Encodes a call. Every call uses this function, so it is the one that embeds the contract record in the program.
fn encode<M: Method>(request: &M::Request, context: &M::Context) -> Result<Encoded, CallError<M::Error>> {
    let method = M::CALLS.subject();
    let refused = |refusal: Refusal| CallError::Request {
        method,
        by: Side::Ours,
        errors: refusal.violations.iter().map(Broken::from).collect(),
        maybe_begun: false,
    };
    let request = encoded(|out| request.encode(out)).map_err(refused)?;
    let context = headers::ascii_json(encoded(|out| context.encode(out)).map_err(refused)?);
    let (bytes, most) = (context.len(), headers::MAX_CONTEXT);
    if bytes > most {
        let detail = format!("the context has {bytes} bytes, and at most {most} fit in a header");
        let broken = Broken { pointer: String::new(), keyword: "maxLength".to_owned(), detail };
        return Err(CallError::Request { method, by: Side::Ours, errors: vec![broken], maybe_begun: false });
    }
    Ok(Encoded { request, context })
}

/// A call in progress: the future of [`Rpc::call`].
#[must_use = "nothing is sent until this is awaited"]
pub struct Calling<T, E> {
    rpc: Rpc,
    encoded: Result<Encoded, CallError<E>>,
    deadline: Duration,
    key: Option<Arc<str>>,
    /// Runs the call. A function pointer, so that the RPC's type isn't a parameter of this type: the compiler reports a
    /// wrong RPC once, and not at each use of the future.
    run: fn(Self) -> Answering<T, E>,
}

type Answering<T, E> = Pin<Box<dyn Future<Output = Result<T, CallError<E>>> + Send>>;

impl<T, E> Calling<T, E> {
    /// Sets the deadline for the answer, for all attempts together; 10 s unless set here or with
    /// [`Config::deadline`](crate::rpc::Config::deadline). The service receives the deadline and stops at it.
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the key by which the service recognizes a repeated call, so that the call is retried even if its schema doesn't
    /// declare it idempotent. By default each call has a unique key, which doesn't make it retryable.
    pub fn idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// Returns the future that runs the call when it is polled.
fn run<M: Method>(calling: Calling<M::Response, M::Error>) -> Answering<M::Response, M::Error> {
    let Calling { rpc, encoded, deadline, key, .. } = calling;
    let Encoded { request, context } = match encoded {
        Ok(encoded) => encoded,
        Err(error) => return Box::pin(ready(Err(error))),
    };
    let may_repeat = M::IDEMPOTENT || key.is_some();
    let mut attempt = CallAttempt {
        service: M::SERVICE,
        method: M::METHOD,
        request,
        context: Some(context),
        session: rpc.session.map(Session::from),
        timeout: None,
        number: 1,
        key: Some(
            key.unwrap_or_else(|| (&*Uuid::new_v4().hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()),
        ),
        trace: None,
    };
    Box::pin(async move {
        let begun = Instant::now();
        let ours = begun + deadline.min(FOREVER);
        let until = rpc.until.map_or(ours, |theirs| theirs.min(ours));
        let mut state = AttemptState::default();
        let outcome = match rpc.attempts(M::NAME, may_repeat, &mut attempt, until, &mut state).await {
            Ok(answer) => rpc.answered::<M>(answer, begun).map_err(|error| error.after_another(state.maybe_begun)),
            Err(CallFailure::NoAnswer(lost)) => {
                let maybe_begun = state.maybe_begun || lost.maybe_begun;
                tracing::warn!(method = M::NAME, maybe_begun, error = lost.why, "the service is unreachable");
                Err(CallError::Unreachable { method: M::NAME, maybe_begun, why: lost.why })
            }
            Err(CallFailure::TimedOut) => {
                let (after, maybe_begun) = (until - begun, state.maybe_begun || state.sending);
                tracing::warn!(
                    method = M::NAME,
                    ?after,
                    maybe_begun,
                    error = state.why,
                    "the call was not answered in time"
                );
                Err(CallError::Deadline { method: M::NAME, after, maybe_begun, why: state.why })
            }
        };
        metrics::called(M::NAME, outcome.as_ref().map_or_else(CallError::kind, |_| "answered"), begun);
        outcome
    })
}

impl<T, E> IntoFuture for Calling<T, E> {
    type Output = Result<T, CallError<E>>;
    type IntoFuture = Answering<T, E>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self)
    }
}

impl<T, E> fmt::Debug for Calling<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").field("rpc", &self.rpc).finish_non_exhaustive()
    }
}

/// The state of a call's attempts, which remains readable when the deadline stops them.
#[derive(Default)]
struct AttemptState {
    /// Whether an attempt is in progress.
    sending: bool,
    /// Whether the service may have begun an attempt that has ended.
    maybe_begun: bool,
    /// The failure of the last attempt.
    why: String,
}

/// The reason why a call has no answer.
enum CallFailure {
    /// The last attempt failed, and no further attempt is allowed.
    NoAnswer(AttemptError),
    /// The deadline has passed.
    TimedOut,
}

impl From<AttemptError> for CallFailure {
    fn from(lost: AttemptError) -> Self {
        Self::NoAnswer(lost)
    }
}

impl From<Elapsed> for CallFailure {
    fn from(_: Elapsed) -> Self {
        Self::TimedOut
    }
}

impl Rpc {
    /// Sends the call until a final answer arrives or no further attempt is allowed.
    async fn attempts(
        &self,
        name: &'static str,
        may_repeat: bool,
        attempt: &mut CallAttempt,
        until: Instant,
        state: &mut AttemptState,
    ) -> Result<Answer, CallFailure> {
        let retry_policy = &self.inner.retry_policy;
        let mut rounds = 0;
        let mut route = loop {
            let NoRoute { why, for_good } = match timeout_at(until, self.inner.link.route(attempt.service)).await? {
                Ok(route) => break route,
                Err(none) => none,
            };
            rounds += 1;
            state.why.clone_from(&why);
            let pause = retry_policy.pause(rounds);
            if for_good || rounds >= retry_policy.attempts || until.saturating_duration_since(Instant::now()) <= pause {
                return Err(AttemptError { maybe_begun: false, why }.into());
            }
            sleep(pause).await;
        };
        route.budget().put_in();
        // `reached`: whether an address was reached in this round
        let (mut counted, mut reached) = (0, false);
        rounds = 0;
        loop {
            let now = Instant::now();
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return Err(CallFailure::TimedOut);
            }
            let one = retry_policy.attempt.filter(|one| *one < left);
            attempt.timeout = Some(one.unwrap_or(left));
            state.sending = true;
            let span = span::call(attempt.service, attempt.method, attempt.number, self.session, self.trace.as_ref());
            attempt.trace = span.context().cloned();
            let sent = timeout_at(one.map_or(until, |one| now + one), route.send(attempt)).await;
            let outcome = match (sent, one) {
                (Ok(outcome), _) => outcome,
                (Err(_), Some(one)) => {
                    Err(AttemptError { maybe_begun: true, why: format!("no answer within {one:?}") })
                }
                (Err(_), None) => return Err(CallFailure::TimedOut),
            };
            state.sending = false;
            match &outcome {
                Ok(answer) => span.answered(answer.status),
                Err(lost) => span.failed("unreachable", Some(&lost.why)),
            }
            drop(span);
            let next = retry::next(&outcome, may_repeat || self.is_repeatable(name, &outcome));
            let RetryDecision::Again { after, unreached } = next else { return Ok(outcome?) };
            match &outcome {
                Ok(answer) => {
                    state.maybe_begun |= retry::maybe_begun(answer);
                    state.why = format!("the last attempt was answered with HTTP status {}", answer.status);
                }
                Err(lost) => {
                    state.maybe_begun |= lost.maybe_begun;
                    state.why.clone_from(&lost.why);
                }
            }
            let elsewhere = route.another();
            reached |= !unreached;
            // the addresses of a round that weren't reached count as one attempt, and only if no address was reached
            counted += u32::from(!unreached || !elsewhere && !reached);
            let pause = (!elsewhere).then(|| {
                rounds += 1;
                retry_policy.pause(rounds).max(after)
            });
            let is_late = pause.is_some_and(|pause| until.saturating_duration_since(Instant::now()) <= pause);
            if counted >= retry_policy.attempts || is_late {
                return Ok(outcome?);
            }
            let is_free = elsewhere && unreached;
            if !is_free && !route.budget().afford() {
                tracing::debug!(method = name, "the call is not retried: the retry budget is used up");
                return Ok(outcome?);
            }
            if let Some(pause) = pause {
                route.all_again();
                reached = false;
                sleep(pause).await;
            }
            attempt.number += 1;
            tracing::debug!(
                method = name,
                attempt = attempt.number,
                why = state.why,
                "the attempt failed, retrying the call"
            );
        }
    }

    /// Returns whether the service declares the RPC repeatable, in this answer or in an earlier one.
    fn is_repeatable(&self, name: &str, outcome: &Result<Answer, AttemptError>) -> bool {
        match outcome {
            Ok(answer) if answer.status == 200 => false,
            Ok(answer) if answer.idempotent => true,
            _ => self.inner.repeatable.read().unwrap_or_else(PoisonError::into_inner).contains(name),
        }
    }

    /// Converts an answer to the caller's result.
    fn answered<M: Method>(&self, answer: Answer, begun: Instant) -> Result<M::Response, CallError<M::Error>> {
        if !M::IDEMPOTENT && (answer.idempotent || answer.status == 200) {
            let known = &self.inner.repeatable;
            if known.read().unwrap_or_else(PoisonError::into_inner).contains(M::NAME) != answer.idempotent {
                let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
                // another version of the service may no longer declare the RPC idempotent
                if answer.idempotent {
                    known.insert(M::NAME)
                } else {
                    known.remove(M::NAME)
                };
            }
        }
        let method = M::NAME;
        let broken = |refusal: Refusal| {
            let errors = refusal.violations.iter().map(Broken::from).collect();
            tracing::error!(method, %refusal, "the answer breaks its contract");
            CallError::Response { method, by: Side::Ours, errors }
        };
        match (answer.status, &answer.kind) {
            (200, BodyKind::Json) => M::Response::decode(&answer.body).map_err(broken),
            // a caller whose contract has no `error.json` yet can't decode the error: it gets a fault
            (DOMAIN, BodyKind::Json) if TypeId::of::<M::Error>() == TypeId::of::<NoError>() => {
                let why = "the service's contract declares this error, but the caller's contract doesn't".to_owned();
                Err(CallError::Fault { method, status: DOMAIN, maybe_begun: true, why, retry_after: None })
            }
            (DOMAIN, BodyKind::Json) => Err(M::Error::decode(&answer.body).map_or_else(broken, CallError::Domain)),
            _ => Err(failed(method, &answer, begun)),
        }
    }
}

/// Converts an answer that is neither a response nor an error of the RPC's contract to an error.
fn failed<E>(method: &'static str, answer: &Answer, begun: Instant) -> CallError<E> {
    let Answer { status, retry_after, .. } = *answer;
    let from = answer.from.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
    match answer.read_problem() {
        Some(Problem { part: Some(Part::Request | Part::Context), errors, .. }) if status == 422 => {
            CallError::Request { method, by: Side::Theirs, errors, maybe_begun: false }
        }
        Some(Problem { part: Some(Part::Response), errors, .. }) => {
            CallError::Response { method, by: Side::Theirs, errors }
        }
        Some(problem) if problem.is("deadline") => {
            CallError::Deadline { method, after: begun.elapsed(), maybe_begun: true, why: from + &problem.detail }
        }
        Some(problem) => {
            let (why, maybe_begun) = (format!("{from}{problem}"), problem.maybe_begun());
            CallError::Fault { method, status, maybe_begun, why, retry_after }
        }
        None => {
            let why = match &answer.kind {
                BodyKind::Json => "the answer's body is JSON, but not problem details (RFC 9457)".to_owned(),
                BodyKind::Problem => "the answer's problem details can't be read (RFC 9457)".to_owned(),
                BodyKind::Other(what) => what.clone(),
            };
            CallError::Fault { method, status, maybe_begun: true, why: from + &why, retry_after }
        }
    }
}
