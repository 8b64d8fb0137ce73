//! The way of one delivery: envelope, attempts with short pauses between, and the decision; or it is set aside.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::time::sleep_until;

use super::ack::Decision;
use super::active_listener::Listening;
use super::catch_panic::{chain, guarded};
use super::dedupe::{self, Begun, Identity, NotCommitted, Trouble};
use super::fail::What;
use super::handler::{Failure, Incoming};
use super::hold::Held;
use super::meta::Meta;
use super::phase::{self, Phase};
use super::recall::{Guard, Known};
use super::requeue;
use super::retry::HERE;
use super::slow_handlers;
use super::verdict::{Failed, Verdict, Way};
use crate::contract::envelope::{self, Envelope};
use crate::contract::session::Session;
use crate::dead_letter::letter::{DeadLetter, Reason};
use crate::progress::{AttemptEnd, AttemptStart};
use crate::telemetry::metrics::{Came, Listens};
use crate::telemetry::span::{self, Active};
use crate::transport::{Delivery, QueueSpec};
use twyla_codec::validate::{Refusal, Violation};

/// As [`handle`], once there is a place; and again if it is to be handled again here.
pub(crate) async fn handle_in_turn(listening: Arc<Listening>, mut delivery: Delivery) {
    if delivery.ack.is_void() {
        // Its connection was lost before its turn came, and the broker delivers it again.
        return;
    }
    let Some((guard, mut known)) = begin(&listening, &delivery).await else { return };
    loop {
        let place = match &listening.places {
            Some(places) => delivery.progress.acquire(places).await,
            None => None,
        };
        if place.is_some() && *listening.stopping.borrow() != Phase::Running {
            // It goes back to its queue.
            return;
        }
        let (progress, places) = (delivery.progress.clone(), listening.places.clone());
        let held = handle(&listening, delivery, guard.as_ref(), known.take()).await;
        progress.release(place, places.as_ref());
        let Some(held) = held else { return };
        let Some(again) = held.wait(&listening, guard.as_ref()).await else { return };
        delivery = again;
    }
}

/// Begins to handle a message: one that was delivered before may be known, or still be handled. Nothing if the service stops.
async fn begin<'a>(listening: &'a Listening, delivery: &Delivery) -> Option<(Option<Guard<'a>>, Option<Known>)> {
    match delivery.message_id.as_deref() {
        None => Some((None, None)),
        Some(id) if delivery.redeliveries == 0 => Some((Some(listening.recall.begin(id)), None)),
        Some(id) => {
            let mut stopping = listening.stopping.clone();
            tokio::select! {
                biased;
                (guard, known) = listening.recall.begin_again(id) => Some((Some(guard), known)),
                () = phase::stopping(&mut stopping) => None,
            }
        }
    }
}

/// Handles one delivery to its end, or until it is to be held. If this is dropped on the way, the delivery goes back to its
/// queue.
async fn handle(
    listening: &Listening,
    delivery: Delivery,
    guard: Option<&Guard<'_>>,
    known: Option<Known>,
) -> Option<Box<Held>> {
    if delivery.ack.is_void() {
        if let (Some(guard), Some(known)) = (guard, known) {
            guard.remember(known);
        }
        return None;
    }
    let next = match known {
        Some(Known::Decided(decision)) => {
            listening.settle(&delivery, decision);
            Next::Settled
        }
        Some(Known::DeadLetter(verdict)) => Next::Park(verdict),
        Some(Known::Held(mut way)) => {
            if let Way::Dead(message) = &mut way {
                message.body = delivery.body.clone();
            }
            let why = "it was not taken before the broker took the delivery back".to_owned();
            return Some(Box::new(Held { delivery, way, why }));
        }
        Some(Known::Failed(failed, due)) => attempts(listening, &delivery, Some((failed, due))).await,
        None => match refused_unread(listening, &delivery) {
            Some(verdict) => Next::Park(verdict),
            None => attempts(listening, &delivery, None).await,
        },
    };
    if delivery.ack.is_void() {
        if let (Some(guard), Some(known)) = (guard, next.known(&delivery)) {
            guard.remember(known);
        }
        return None;
    }
    let ack = delivery.ack.clone();
    let held = match next {
        Next::Settled | Next::Void(..) => None,
        Next::Later(pause, failed) => requeue::postpone(listening, delivery, pause, failed).await,
        Next::Park(verdict) => requeue::park(listening, delivery, verdict).await,
    };
    // it was set aside while the broker took it back
    if let Some(guard) = guard {
        guard.remember_if_void(&ack);
    }
    held
}

/// Why a delivery is dead-lettered without a look at its envelope, if it is.
fn refused_unread(listening: &Listening, delivery: &Delivery) -> Option<Verdict> {
    if delivery.redeliveries > listening.redeliveries {
        let error = format!(
            "it was delivered {} times and never settled: the service ends, loses its connection or gives it back",
            delivery.redeliveries
        );
        return Some(Verdict::of(Reason::Redelivered, error));
    }
    let (bytes, most) = (delivery.body.len(), listening.bus.max_event());
    (bytes > most).then(|| Verdict::of(Reason::Size, format!("it has {bytes} bytes, and at most {most} are allowed")))
}

/// What becomes of a delivery that was tried.
enum Next {
    Settled,
    /// It is tried again after this long, by whoever gets it then.
    Later(Duration, Failed),
    /// The broker has taken it back while it waited for its next attempt, which is due then.
    Void(Failed, tokio::time::Instant),
    Park(Verdict),
}

impl Next {
    /// What is to be remembered if the delivery is void.
    fn known(self, delivery: &Delivery) -> Option<Known> {
        match self {
            Self::Settled => match delivery.ack.decision()? {
                Decision::Requeue => None,
                decision => Some(Known::Decided(decision)),
            },
            Self::Later(pause, failed) => Some(Known::Failed(failed, tokio::time::Instant::now() + pause)),
            Self::Void(failed, due) => Some(Known::Failed(failed, due)),
            Self::Park(verdict) => Some(Known::DeadLetter(verdict)),
        }
    }
}

/// Calls the handler until it has decided, has succeeded, has failed for good, or is to be tried again much later.
///
/// What is known of an earlier delivery of the event goes beyond what its headers say.
async fn attempts(listening: &Listening, delivery: &Delivery, known: Option<(Failed, tokio::time::Instant)>) -> Next {
    let (event, group) = (listening.queue.event, listening.queue.group);
    let message_id = delivery.message_id.as_deref();
    let mut failed = match known {
        None => delivery.failed(),
        Some((failed, due)) => {
            let left = due.saturating_duration_since(tokio::time::Instant::now());
            if left > HERE && !listening.is_ordered() {
                return Next::Later(left, failed);
            }
            match pause(listening, delivery, left).await {
                Paused::Over => Some(failed),
                Paused::Stopping => return Next::Settled,
                Paused::Void => return Next::Void(failed, due),
            }
        }
    };
    let (ack, progress) = (&delivery.ack, &delivery.progress);
    let envelope = match envelope::decode(&delivery.body, event) {
        Ok(envelope) => envelope,
        Err(violation) => return Next::Park(not_an_envelope(&violation)),
    };
    let session = envelope.session.clone().unwrap_or_else(Session::new);
    let mut patience = Patience::default();
    loop {
        // the store is waited for before an attempt begins, so that its trouble is none of the event's
        let Some(begun) = claim(listening, delivery, &mut patience).await else { return given_up(delivery, failed) };
        let attempt = failed.as_ref().map_or(1, |failed| failed.attempts.saturating_add(1));
        let (mut incoming, span) = incoming(listening, delivery, &envelope, &session, attempt, failed.as_ref());
        let clock = Clock::start(&listening.figures);
        progress.attempt_begins(AttemptStart {
            event,
            group,
            handler: listening.listener.handler,
            number: attempt,
            message_id,
        });
        let outcome = match begun {
            Begun::Done => {
                listening.store.works();
                ack.ack();
                clock.stop(Came::Skipped);
                progress.attempt_ends(AttemptEnd::Skipped);
                span.debug(|| tracing::debug!(event, group, message_id, "handled before, skipped"));
                return Next::Settled;
            }
            Begun::New(claim) => {
                incoming.transaction = claim.transaction();
                let handler = guarded(|| (listening.listener.handle)(incoming), || span.enter());
                let kept = |time| {
                    slow_handlers::keeps(listening, time, "a handler has kept its thread, and nothing else ran on that")
                };
                match listening.runs.watched(handler, kept).await {
                    // Only what was handled is remembered, and only then is it acked.
                    Ok(Ok(())) if ack.decision() != Some(Decision::Requeue) => match claim.commit().await {
                        Ok(()) => Ok(Ok(())),
                        Err(NotCommitted::Handler(error)) => Ok(Err(Failure::Handler(error))),
                        Err(NotCommitted::Store(trouble)) if ack.decision().is_none() => {
                            drop((clock, span));
                            match patience.wait(listening, delivery, trouble).await {
                                Some(()) => continue,
                                None => return given_up(delivery, failed),
                            }
                        }
                        // the handler has decided, and is not called again
                        Err(NotCommitted::Store(trouble)) => Ok(Err(Failure::Handler(trouble.cause))),
                    },
                    outcome => outcome,
                }
            }
        };
        // neither the look-up nor the commit nor an outbox has failed
        listening.store.works();
        if let Some(decision) = ack.decision() {
            let ok = matches!(outcome, Ok(Ok(())));
            clock.stop(if ok { Came::Handled } else { Came::Failed });
            progress.attempt_ends(AttemptEnd::Decided(decision));
            span.debug(|| tracing::debug!(event, group, attempt, ?decision, ok, "the handler decided"));
            return Next::Settled;
        }
        let (reason, error, what) = match outcome {
            Ok(Ok(())) => {
                ack.ack();
                clock.stop(Came::Handled);
                progress.attempt_ends(AttemptEnd::Handled);
                span.debug(|| tracing::debug!(event, group, attempt, "handled"));
                return Next::Settled;
            }
            Ok(Err(Failure::Content(refusal))) => {
                span.failed("content", None);
                let verdict = broken("content", &refusal, attempt);
                progress.attempt_ends(AttemptEnd::Refused(&verdict.error));
                return Next::Park(verdict);
            }
            Ok(Err(Failure::Context(refusal))) => {
                span.failed("context", None);
                let verdict = broken("context", &refusal, attempt);
                progress.attempt_ends(AttemptEnd::Refused(&verdict.error));
                return Next::Park(verdict);
            }
            Ok(Err(Failure::Handler(error))) => match What::of(&*error) {
                What::Store => {
                    drop((clock, span));
                    match patience.wait(listening, delivery, Trouble { cause: error, busy: false }).await {
                        Some(()) => continue,
                        None => return given_up(delivery, failed),
                    }
                }
                what => (Reason::Handler, chain(&*error), what),
            },
            Err(panic) => (Reason::Panic, panic, What::Retry),
        };
        clock.stop(Came::Failed);
        progress.attempt_ends(AttemptEnd::Failed(&error));
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
            What::Retry | What::Store => listening.retry.pause(attempt),
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
        let due = tokio::time::Instant::now() + pause;
        match crate::service::attempt::pause(listening, delivery, pause).await {
            Paused::Over => {}
            Paused::Stopping => return Next::Settled,
            Paused::Void => return Next::Void(this, due),
        }
        failed = Some(this);
    }
}

/// What is left of a delivery that is given up while it waits for the store.
fn given_up(delivery: &Delivery, failed: Option<Failed>) -> Next {
    match failed {
        Some(failed) if delivery.ack.is_void() => Next::Void(failed, tokio::time::Instant::now()),
        _ => Next::Settled,
    }
}

/// How a pause between two attempts has ended.
enum Paused {
    Over,
    /// The service stops, and the delivery has gone back.
    Stopping,
    /// The broker has taken the delivery back.
    Void,
}

/// Waits between two attempts, while the delivery is held. In an ordered listener, what is held for half of the broker's
/// `consumer_timeout` is given back with all that waits behind it, and comes again in its order.
async fn pause(listening: &Listening, delivery: &Delivery, pause: Duration) -> Paused {
    if pause.is_zero() {
        return Paused::Over;
    }
    let mut stopping = listening.stopping.clone();
    let mut over = std::pin::pin!(delivery.progress.pause(pause));
    let half = delivery.arrived + listening.consumer_timeout / 2;
    let mut renewed = !listening.is_ordered();
    loop {
        tokio::select! {
            () = &mut over => return Paused::Over,
            () = delivery.ack.voided() => return Paused::Void,
            () = sleep_until(half), if !renewed => {
                renewed = true;
                listening.renew.notify_one();
            }
            () = phase::stopping(&mut stopping) => {
                delivery.ack.reject();
                return Paused::Stopping;
            }
        }
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

/// Asks the store whether the event was handled before, until it answers. Nothing if the delivery is given up meanwhile.
async fn claim(listening: &Listening, delivery: &Delivery, patience: &mut Patience) -> Option<Begun> {
    let Some(dedupe) = &listening.dedupe else { return Some(Begun::New(Box::new(dedupe::Unheld))) };
    let QueueSpec { name: queue, group, .. } = &*listening.queue;
    let identity = Identity { queue, group, message_id: delivery.message_id.as_deref() };
    let mut stopping = listening.stopping.clone();
    loop {
        let begun = tokio::select! {
            biased;
            begun = dedupe.store.begin(identity) => begun,
            () = phase::stopping(&mut stopping) => {
                delivery.ack.reject();
                return None;
            }
        };
        match begun {
            Ok(begun) => return Some(begun),
            Err(trouble) => patience.wait(listening, delivery, trouble).await?,
        }
    }
}

/// The pauses of a delivery that waits for a store in trouble.
struct Patience {
    pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pause: Duration::from_millis(100) }
    }
}

impl Patience {
    /// The longest pause: how late it may be known that the store can be used again.
    const MOST: Duration = Duration::from_secs(5);

    /// Waits before the store is asked again; twice as long the next time. Nothing if the delivery is given up meanwhile: the
    /// service stops, or the broker has taken it back.
    async fn wait(&mut self, listening: &Listening, delivery: &Delivery, trouble: Trouble) -> Option<()> {
        listening.store.fails(&trouble, &listening.figures);
        let mut stopping = listening.stopping.clone();
        tokio::select! {
            () = delivery.progress.pause(self.pause) => {}
            () = phase::stopping(&mut stopping) => {
                delivery.ack.reject();
                return None;
            }
        }
        self.pause = (self.pause * 2).min(Self::MOST);
        (!delivery.ack.is_void()).then_some(())
    }
}

/// What one attempt starts from.
fn incoming(
    listening: &Listening,
    delivery: &Delivery,
    envelope: &Envelope,
    session: &Session,
    attempt: u32,
    failed: Option<&Failed>,
) -> (Incoming, Active) {
    let system = listening.bus.system();
    let span = span::process(&listening.queue, delivery, system, attempt, session, delivery.trace.as_ref());
    let incoming = Incoming {
        content: envelope.content.clone(),
        context: envelope.context.clone(),
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
    (incoming, span)
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
