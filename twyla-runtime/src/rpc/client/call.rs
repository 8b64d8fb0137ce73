//! The calling side: a request is encoded under its contract, sent as often as is safe, and the answer decoded under its own.

use std::any::TypeId;
use std::collections::HashSet;
use std::fmt;
use std::future::{Future, IntoFuture, ready};
use std::pin::{Pin, pin};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::retry::{self, Next, Patience};
use super::route::Link;
use crate::contract::event::{AsContext, EventContext};
use crate::contract::session::Session;
use crate::rpc::protocol::ask::{Answer, Ask, DOMAIN, Key, Kind, Lost, NoRoute};
use crate::rpc::protocol::error::{CallError, Side};
use crate::rpc::protocol::headers;
use crate::rpc::protocol::meta::CallMeta;
use crate::rpc::protocol::method::{Body, Method, NoError};
use crate::rpc::protocol::problem::{Broken, Part, Problem};
use crate::rpc::protocol::timer::{self, Late};
use crate::rpc::protocol::written::written;
use crate::rpc::server::server::Server;
use crate::telemetry::trace::TraceContext;
use crate::telemetry::{metrics, span};
use twyla_codec::validate::Refusal;

/// Calls RPCs, over HTTP or within this process. Clones share connections, addresses and the budget of retries.
#[derive(Clone)]
pub struct Rpc {
    inner: Arc<Inner>,
    session: Option<Uuid>,
    trace: Option<TraceContext>,
    /// When whoever has called us gives up.
    until: Option<Instant>,
}

struct Inner {
    link: Link,
    patience: Patience,
    /// The RPCs of which a service has said that they may be repeated.
    repeatable: RwLock<HashSet<&'static str>>,
}

impl Rpc {
    /// Calls services of this process, for tests and for programs that are one process.
    ///
    /// A service can be called that is given it with [`Service::rpc`](crate::Service::rpc), once it has started. Requests,
    /// contexts and answers are encoded, held to their contracts and decoded as they are over HTTP.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::over(Link::in_memory(None), Patience::default())
    }

    pub(crate) fn over(link: Link, patience: Patience) -> Self {
        let inner = Inner { link, patience, repeatable: RwLock::default() };
        Self { inner: Arc::new(inner), session: None, trace: None, until: None }
    }

    /// The same, whose calls belong to the session `id`: for a session that other programs know by a text,
    /// [`session_id`](crate::session_id) of that.
    #[must_use]
    pub fn with_session(&self, id: Uuid) -> Self {
        Self { session: Some(id), ..self.clone() }
    }

    /// The same, whose calls are part of a trace.
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        Self { trace: Some(trace), ..self.clone() }
    }

    /// The same for what a handler calls: of the session and the trace of its own call, and over with it.
    pub(crate) fn within_call(&self, meta: &CallMeta) -> Self {
        let session = Some(meta.session_id);
        Self { session, trace: meta.trace.clone(), until: Some(meta.deadline), ..self.clone() }
    }

    /// The same for what a listener calls: of the session and the trace of its event.
    pub(crate) fn within_event(&self, session: Uuid, trace: Option<&TraceContext>) -> Self {
        Self { session: Some(session), trace: trace.cloned(), ..self.clone() }
    }

    /// Calls an RPC.
    ///
    /// Request and context are held to their contracts first. The call belongs to the session and the trace of the handler
    /// that this [`Rpc`] is an argument of, or to the session of [`with_session`](Self::with_session), or to a new one.
    ///
    /// Through a failure it is tried again where that is safe: where nothing was begun; and else where the request's schema
    /// says `idempotent`, the service says so, or an [idempotency key](Calling::idempotency_key) is given. A handler's calls
    /// are over when the call that it serves is.
    ///
    /// ```text
    /// let booking = rpc.call::<GetBooking>(GetBookingRequest::new("A1324B"), &context).await?;
    /// ```
    ///
    /// # Errors
    /// [`CallError`], which tells what can be done about it.
    ///
    /// # Cancel safety
    /// Encoded when called, sent when polled. If the future is dropped, the connection is cut or the stream reset, and the
    /// service stops when it notices.
    pub fn call<M: Method>(
        &self,
        request: M::Request,
        context: impl AsContext<M::Context>,
    ) -> Calling<M::Response, M::Error> {
        Calling {
            encoded: encode::<M>(&request, context.as_context()),
            rpc: self.clone(),
            deadline: self.inner.patience.deadline,
            key: None,
            run: run::<M>,
        }
    }

    /// Makes a service of this process callable, if that is what it calls.
    pub(crate) fn attach(&self, server: &Arc<Server>) {
        self.inner.link.attach(server);
    }

    /// Whether it calls services of this process.
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

/// What of a call is sent each time.
struct Encoded {
    request: Bytes,
    context: Bytes,
}

/// Every call is encoded here, and so the program carries its mark.
fn encode<M: Method>(request: &M::Request, context: &M::Context) -> Result<Encoded, CallError<M::Error>> {
    let method = M::CALLS.subject();
    let refused = |refusal: Refusal| CallError::Request {
        method,
        by: Side::Ours,
        errors: refusal.violations.iter().map(Broken::from).collect(),
        maybe_begun: false,
    };
    // both in one memory
    let (mut text, length) = written(|out| {
        request.encode(out)?;
        let length = out.len();
        context.encode(out)?;
        Ok(length)
    })
    .map_err(refused)?;
    let context = headers::ascii_json(text.split_off(length));
    let (bytes, most) = (context.len(), headers::MAX_CONTEXT);
    if bytes > most {
        let detail = format!("the context has {bytes} bytes, and at most {most} fit in a header");
        let broken = Broken { pointer: String::new(), keyword: "maxLength".to_owned(), detail };
        return Err(CallError::Request { method, by: Side::Ours, errors: vec![broken], maybe_begun: false });
    }
    Ok(Encoded { request: text, context })
}

/// A call under way: the future of [`Rpc::call`].
#[must_use = "nothing is sent until this is awaited"]
pub struct Calling<T, E> {
    rpc: Rpc,
    encoded: Result<Encoded, CallError<E>>,
    deadline: Duration,
    key: Option<Arc<str>>,
    /// What knows the RPC: the type that stands for it is no part of this one, so that a type that stands for none is told
    /// of once and not again wherever the future is used.
    run: fn(Self) -> Answering<T, E>,
}

type Answering<T, E> = Pin<Box<dyn Future<Output = Result<T, CallError<E>>> + Send>>;

impl<T, E> Calling<T, E> {
    /// Waits at most so long for the answer, all attempts together; 10 s unless set here or with
    /// [`Config::deadline`](crate::rpc::Config::deadline). The service is told, and stops then.
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// A key by which the service knows a call that it has done already: so it may be tried again, whatever its schema says.
    /// Without one, each call has one of its own.
    pub fn idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// A call from its first poll on.
fn run<M: Method>(calling: Calling<M::Response, M::Error>) -> Answering<M::Response, M::Error> {
    let Calling { rpc, encoded, deadline, key, .. } = calling;
    let Encoded { request, context } = match encoded {
        Ok(encoded) => encoded,
        Err(error) => return Box::pin(ready(Err(error))),
    };
    let mut ask = Ask {
        service: M::SERVICE,
        method: M::METHOD,
        request,
        context: Some(context),
        session: rpc.session.map(Session::from),
        timeout: None,
        attempt: 1,
        key: Some(key.map_or_else(Key::new, Key::Given)),
        trace: None,
    };
    Box::pin(async move {
        let begun = Instant::now();
        let ours = timer::since(begun, deadline);
        let until = rpc.until.map_or(ours, |theirs| theirs.min(ours));
        let mut progress = Progress::default();
        let outcome = match rpc.attempts(M::NAME, M::IDEMPOTENT, &mut ask, until, &mut progress).await {
            Ok(answer) => rpc.answered::<M>(answer, begun).map_err(|error| error.after_another(progress.maybe_begun)),
            Err(Failed::Lost(lost)) => {
                let maybe_begun = progress.maybe_begun || lost.maybe_begun;
                tracing::warn!(method = M::NAME, maybe_begun, error = lost.why, "unreachable");
                Err(CallError::Unreachable { method: M::NAME, maybe_begun, why: lost.why })
            }
            Err(Failed::Late) => {
                let (after, maybe_begun) = (until - begun, progress.maybe_begun || progress.sending);
                tracing::warn!(method = M::NAME, ?after, maybe_begun, error = progress.why, "not answered in time");
                Err(CallError::Deadline { method: M::NAME, after, maybe_begun, why: progress.why })
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

/// What is known of the attempts so far, for whoever stops them.
#[derive(Default)]
struct Progress {
    /// Whether an attempt is under way.
    sending: bool,
    /// Whether one that has ended may have been begun there.
    maybe_begun: bool,
    /// What stood in the way of the last one.
    why: String,
}

/// Why there is no answer.
enum Failed {
    /// The last attempt got none, and there is no other.
    Lost(Lost),
    /// There was none in time.
    Late,
}

impl From<Lost> for Failed {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl From<Late> for Failed {
    fn from(_: Late) -> Self {
        Self::Late
    }
}

impl Rpc {
    /// Tries until there is an answer that counts, or nothing more is to be tried.
    async fn attempts(
        &self,
        name: &'static str,
        idempotent: bool,
        ask: &mut Ask,
        until: Instant,
        progress: &mut Progress,
    ) -> Result<Answer, Failed> {
        let patience = &self.inner.patience;
        let given = matches!(ask.key, Some(Key::Given(_)));
        let mut rounds = 0;
        let mut route = loop {
            let NoRoute { why, for_good } = match timer::by(until, pin!(self.inner.link.route(ask.service))).await? {
                Ok(route) => break route,
                Err(none) => none,
            };
            rounds += 1;
            progress.why.clone_from(&why);
            let pause = patience.pause(rounds);
            if for_good || rounds >= patience.attempts || until.saturating_duration_since(Instant::now()) <= pause {
                return Err(Lost { maybe_begun: false, why }.into());
            }
            sleep(pause).await;
        };
        route.budget().put_in();
        rounds = 0;
        loop {
            let now = Instant::now();
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return Err(Failed::Late);
            }
            let one = patience.attempt.filter(|one| *one < left);
            ask.timeout = Some(one.unwrap_or(left));
            progress.sending = true;
            let span = span::call(ask.service, ask.method, ask.attempt, self.session, self.trace.as_ref());
            ask.trace = span.context().cloned();
            let sent = timer::by(one.map_or(until, |one| now + one), pin!(route.send(ask))).await;
            let outcome = match (sent, one) {
                (Ok(outcome), _) => outcome,
                (Err(Late), Some(one)) => {
                    Err(Lost { maybe_begun: true, why: format!("there was no answer within {one:?}") })
                }
                (Err(Late), None) => return Err(Failed::Late),
            };
            progress.sending = false;
            match &outcome {
                Ok(answer) => span.answered(answer.status),
                Err(lost) => span.failed("unreachable", Some(&lost.why)),
            }
            drop(span);
            let next = retry::next(&outcome, given || idempotent || self.is_repeatable(name, &outcome));
            let Next::Again { after, unreached } = next else { return Ok(outcome?) };
            match &outcome {
                Ok(answer) => {
                    progress.maybe_begun |= retry::maybe_begun(answer);
                    progress.why = format!("it was answered with HTTP status {}", answer.status);
                }
                Err(lost) => {
                    progress.maybe_begun |= lost.maybe_begun;
                    progress.why.clone_from(&lost.why);
                }
            }
            let elsewhere = route.another();
            let pause = if elsewhere {
                None
            } else {
                rounds += 1;
                let pause = patience.pause(rounds).max(after);
                if rounds >= patience.attempts || until.saturating_duration_since(Instant::now()) <= pause {
                    return Ok(outcome?);
                }
                Some(pause)
            };
            let is_free = elsewhere && unreached;
            if !is_free && !route.budget().afford() {
                tracing::debug!(method = name, "not tried again: too many calls have been");
                return Ok(outcome?);
            }
            if let Some(pause) = pause {
                route.all_again();
                sleep(pause).await;
            }
            ask.attempt += 1;
            tracing::debug!(method = name, attempt = ask.attempt, why = progress.why, "trying again");
        }
    }

    /// Whether the service says, or has said, that the RPC may be repeated.
    fn is_repeatable(&self, name: &str, outcome: &Result<Answer, Lost>) -> bool {
        match outcome {
            Ok(answer) if answer.status == 200 => false,
            Ok(answer) if answer.idempotent => true,
            _ => self.inner.repeatable.read().unwrap_or_else(PoisonError::into_inner).contains(name),
        }
    }

    /// What an answer is to the caller.
    fn answered<M: Method>(&self, answer: Answer, begun: Instant) -> Result<M::Response, CallError<M::Error>> {
        if !M::IDEMPOTENT && (answer.idempotent || answer.status == 200) {
            let known = &self.inner.repeatable;
            if known.read().unwrap_or_else(PoisonError::into_inner).contains(M::NAME) != answer.idempotent {
                let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
                // another version of the service may say it no more
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
            (200, Kind::Json) => M::Response::decode(&answer.body).map_err(broken),
            // an `error.json` may be new: to those who don't know it, what it has to say is a fault as it was before
            (DOMAIN, Kind::Json) if TypeId::of::<M::Error>() == TypeId::of::<NoError>() => {
                let why = "it answers with an error that its contract has and the one here has not".to_owned();
                Err(CallError::Fault { method, status: DOMAIN, maybe_begun: true, why, retry_after: None })
            }
            (DOMAIN, Kind::Json) => Err(M::Error::decode(&answer.body).map_or_else(broken, CallError::Domain)),
            _ => Err(failed(method, &answer, begun)),
        }
    }
}

/// What any other answer is to the caller.
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
                Kind::Json => "its body is JSON, and nothing that says what went wrong (RFC 9457)".to_owned(),
                Kind::Problem => "its body doesn't say what went wrong, as RFC 9457 has it".to_owned(),
                Kind::Other(what) => what.clone(),
            };
            CallError::Fault { method, status, maybe_begun: true, why: from + &why, retry_after }
        }
    }
}
