//! The way of one delivery: envelope, attempts with short pauses between, and the decision; or it is set aside.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::{Semaphore, watch};

use crate::ack::Decision;
use crate::aside::{self, Failed, Verdict};
use crate::batch::Pace;
use crate::bus::Bus;
use crate::dedupe::{self, Begun, Dedupe};
use crate::drain::Phase;
use crate::fail::What;
use crate::figures::{Came, Listens};
use crate::handler::{Failure, Incoming, Keyed, Registration, States};
use crate::isolate::{chain, guarded};
use crate::meta::Meta;
use crate::park::{DeadLetter, Reason};
use crate::retry::{HERE, Retry};
use crate::session::Session;
use crate::span::{self, Active};
use crate::transport::{Delivery, QueueSpec};
use crate::underway::{self, Begins};
use crate::validate::{Refusal, Violation};
use crate::wire;

/// One listener of a running service.
pub(crate) struct Listening {
    pub(crate) bus: Bus,
    pub(crate) states: Arc<States>,
    pub(crate) listener: Registration,
    pub(crate) queue: Arc<QueueSpec>,
    pub(crate) retry: Retry,
    /// How often a delivery may come again before it is parked.
    pub(crate) redeliveries: u32,
    pub(crate) dedupe: Option<Dedupe>,
    /// How many handlers may run at once, where that is fewer than the prefetch.
    pub(crate) places: Option<Arc<Semaphore>>,
    pub(crate) pace: Pace,
    pub(crate) figures: Listens,
    pub(crate) stopping: watch::Receiver<Phase>,
}

impl Listening {
    pub(crate) fn is_ordered(&self) -> bool {
        self.listener.policy.key.is_some()
    }

    /// The lane of a delivery: none where it has no key, which then is parked for its contract.
    pub(crate) fn lane(&self, delivery: &Delivery) -> Option<u64> {
        let key = self.listener.policy.key?;
        let envelope = wire::decode(&delivery.body, self.queue.event).ok()?;
        let session = envelope.session.map(|session| session.id).unwrap_or_default();
        key(&Keyed { content: &envelope.content, context: &envelope.context, session })
    }
}

/// As [`handle`], once there is a place.
pub(crate) async fn handle_in_turn(listening: Arc<Listening>, delivery: Delivery) {
    let place = match &listening.places {
        Some(places) => delivery.under_way.turn(places).await,
        None => None,
    };
    if place.is_some() && *listening.stopping.borrow() != Phase::Running {
        // It goes back to its queue.
        return;
    }
    let (under_way, places) = (delivery.under_way.clone(), listening.places.clone());
    handle(listening, delivery).await;
    under_way.hand_on(place, places.as_ref());
}

/// Handles one delivery to its end. If this is dropped on the way, the delivery goes back to its queue.
async fn handle(listening: Arc<Listening>, delivery: Delivery) {
    if delivery.ack.is_void() {
        // Its connection was lost before its turn came, and the broker delivers it again.
        return;
    }
    if delivery.redeliveries > listening.redeliveries {
        let error = format!(
            "it was delivered {} times and never settled: the service ends, loses its connection or gives it back",
            delivery.redeliveries
        );
        return aside::park(&listening, delivery, Verdict::of(Reason::Redelivered, error)).await;
    }
    let (bytes, most) = (delivery.body.len(), listening.bus.max_event());
    if bytes > most {
        let error = format!("it has {bytes} bytes, and at most {most} are allowed");
        return aside::park(&listening, delivery, Verdict::of(Reason::Size, error)).await;
    }
    match attempts(&listening, &delivery).await {
        Next::Settled => {}
        Next::Later(pause, failed) => aside::postpone(&listening, delivery, pause, failed).await,
        Next::Park(verdict) => aside::park(&listening, delivery, verdict).await,
    }
}

/// What becomes of a delivery that was tried.
enum Next {
    Settled,
    /// It is tried again after this long, by whoever gets it then.
    Later(Duration, Failed),
    Park(Verdict),
}

/// Calls the handler until it has decided, has succeeded, has failed for good, or is to be tried again much later.
async fn attempts(listening: &Listening, delivery: &Delivery) -> Next {
    let (event, group) = (listening.queue.event, listening.queue.group);
    let message_id = delivery.message_id.as_deref();
    let mut failed = delivery.failed();
    let (ack, under_way) = (&delivery.ack, &delivery.under_way);
    loop {
        let attempt = failed.as_ref().map_or(1, |failed| failed.attempts.saturating_add(1));
        let (mut incoming, span) = match incoming(listening, delivery, attempt, failed.as_ref()) {
            Ok(incoming) => incoming,
            Err(violation) => return Next::Park(not_an_envelope(&violation)),
        };
        let clock = Clock::start(&listening.figures);
        under_way.begins(Begins { event, group, handler: listening.listener.handler, number: attempt, message_id });
        let outcome = match begin(listening, message_id).await {
            Ok(Begun::Done) => {
                ack.ack();
                clock.stop(Came::Skipped);
                under_way.came(underway::Came::Skipped);
                span.debug(|| tracing::debug!(event, group, message_id, "handled before, skipped"));
                return Next::Settled;
            }
            Ok(Begun::New(claim)) => {
                incoming.transaction = claim.transaction();
                match guarded(|| (listening.listener.handle)(incoming), || span.enter()).await {
                    // Only what was handled is remembered, and only then is it acked.
                    Ok(Ok(())) if ack.decision() != Some(Decision::Requeue) => {
                        Ok(claim.commit().await.map_err(Failure::Handler))
                    }
                    outcome => outcome,
                }
            }
            Err(error) => Ok(Err(Failure::Handler(error))),
        };
        if let Some(decision) = ack.decision() {
            let ok = matches!(outcome, Ok(Ok(())));
            clock.stop(if ok { Came::Handled } else { Came::Failed });
            under_way.came(underway::Came::Decided(decision));
            span.debug(|| tracing::debug!(event, group, attempt, ?decision, ok, "the handler decided"));
            return Next::Settled;
        }
        let (reason, error, what) = match outcome {
            Ok(Ok(())) => {
                ack.ack();
                clock.stop(Came::Handled);
                under_way.came(underway::Came::Handled);
                span.debug(|| tracing::debug!(event, group, attempt, "handled"));
                return Next::Settled;
            }
            Ok(Err(Failure::Content(refusal))) => {
                span.failed("content", None);
                let verdict = broken("content", &refusal, attempt);
                under_way.came(underway::Came::Refused(&verdict.error));
                return Next::Park(verdict);
            }
            Ok(Err(Failure::Context(refusal))) => {
                span.failed("context", None);
                let verdict = broken("context", &refusal, attempt);
                under_way.came(underway::Came::Refused(&verdict.error));
                return Next::Park(verdict);
            }
            Ok(Err(Failure::Handler(error))) => (Reason::Handler, chain(&*error), What::of(&*error)),
            Err(panic) => (Reason::Panic, panic, What::Retry),
        };
        clock.stop(Came::Failed);
        under_way.came(underway::Came::Failed(&error));
        span.failed(reason.as_str(), Some(&error));
        let this = Failed::after(failed.take(), attempt, &error);
        let pause = match what {
            What::Drop => {
                span.within(|| tracing::warn!(event, group, attempt, message_id, error, "dropped by its handler"));
                ack.drop();
                listening.figures.dropped();
                return Next::Settled;
            }
            What::Park => None,
            What::Retry => listening.retry.pause(attempt),
            What::RetryAfter(after) => listening.retry.pause(attempt).map(|_| after),
        };
        let Some(pause) = pause else {
            return Next::Park(Verdict { reason, error, violations: Vec::new(), failed: Some(this) });
        };
        span.within(|| tracing::warn!(event, group, attempt, message_id, error, ?pause, "failed, trying again"));
        listening.figures.retried();
        // In order of keys, what comes behind must wait; and for a short pause the way through the broker isn't worth it.
        if pause > HERE && !listening.is_ordered() {
            return Next::Later(pause, this);
        }
        // The pause is no part of the attempt.
        drop((clock, span));
        let mut stopping = listening.stopping.clone();
        tokio::select! {
            () = under_way.pause(pause) => {}
            _ = stopping.wait_for(|phase| *phase != Phase::Running) => {
                ack.reject();
                return Next::Settled;
            }
        }
        failed = Some(this);
    }
}

/// Times one attempt. One that is given up on the way counts as none.
struct Clock<'a> {
    figures: &'a Listens,
    begun: Instant,
    came: Cell<Option<(Came, Duration)>>,
}

impl<'a> Clock<'a> {
    fn start(figures: &'a Listens) -> Self {
        figures.begun();
        Self { figures, begun: Instant::now(), came: Cell::new(None) }
    }

    fn stop(&self, came: Came) {
        self.came.set(Some((came, self.begun.elapsed())));
    }
}

impl Drop for Clock<'_> {
    fn drop(&mut self) {
        self.figures.ended(self.came.get());
    }
}

/// Asks whether the event was handled before.
async fn begin(
    listening: &Listening,
    message_id: Option<&str>,
) -> Result<Begun, Box<dyn std::error::Error + Send + Sync>> {
    match &listening.dedupe {
        Some(dedupe) => dedupe.store.begin(listening.queue.group, message_id).await,
        None => Ok(Begun::New(Box::new(dedupe::Unheld))),
    }
}

/// What one attempt starts from.
fn incoming(
    listening: &Listening,
    delivery: &Delivery,
    attempt: u32,
    failed: Option<&Failed>,
) -> Result<(Incoming, Active), Violation> {
    let envelope = wire::decode(&delivery.body, listening.queue.event)?;
    let session = envelope.session.unwrap_or_else(Session::new);
    let system = listening.bus.system();
    let span = span::process(&listening.queue, delivery, system, attempt, &session, delivery.trace.as_ref());
    let incoming = Incoming {
        content: envelope.content,
        context: envelope.context,
        meta: Meta {
            event: listening.queue.event,
            version: envelope.version,
            timestamp: envelope.timestamp.unwrap_or_else(Utc::now),
            session_id: session.id,
            message_id: delivery.message_id.clone(),
            redelivered: delivery.redeliveries > 0,
            trace: span.context().cloned(),
            attempt,
            first_failure: failed.map(|failed| failed.first.clone()),
        },
        bus: listening.bus.within(session.id, span.context()),
        states: listening.states.clone(),
        ack: delivery.ack.clone(),
        transaction: None,
    };
    Ok((incoming, span))
}

fn not_an_envelope(violation: &Violation) -> Verdict {
    Verdict {
        violations: DeadLetter::violations("", std::slice::from_ref(violation)),
        ..Verdict::of(Reason::Envelope, format!("the message is no envelope of the event: {violation}"))
    }
}

fn broken(part: &str, refusal: &Refusal, attempt: u32) -> Verdict {
    let error = format!("the {part} breaks its contract: {refusal}");
    Verdict {
        violations: DeadLetter::violations(&format!("/{part}"), &refusal.violations),
        // The handler itself was not called.
        failed: (attempt > 1).then(|| Failed::after(None, attempt - 1, &error)),
        ..Verdict::of(Reason::Contract, error)
    }
}
