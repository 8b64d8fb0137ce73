//! Handles one delivery: reads the envelope, calls the handler with short pauses between attempts, and acks, requeues or
//! dead-letters the delivery.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::time::sleep_until;

use super::ack::Decision;
use super::active_listener::ActiveListener;
use super::catch_panic::{chain, guarded};
use super::dedupe::{self, ClaimOutcome, Identity, NotCommitted, Trouble};
use super::fail::FailAction;
use super::handler::{Failure, Incoming};
use super::hold::HeldDelivery;
use super::meta::Meta;
use super::phase::{self, Phase};
use super::recall::{HandlingGuard, VoidOutcome};
use super::requeue;
use super::retry::HERE;
use super::slow_handlers;
use super::verdict::{DeadLetterCause, Destination, FailedAttempts};
use crate::contract::envelope::{self, Envelope};
use crate::contract::session::Session;
use crate::dead_letter::letter::{DeadLetter, Reason};
use crate::progress::{AttemptEnd, AttemptStart};
use crate::telemetry::metrics::{AttemptOutcome, ListenerMetrics};
use crate::telemetry::span::{self, ActiveSpan};
use crate::transport::{Delivery, QueueSpec};
use twyla_codec::validate::{Refusal, Violation};

/// Handles a delivery once a permit is free. If the retry queue refuses the delivery, the delivery waits here without a permit and is
/// then handled again.
pub(crate) async fn handle_in_turn(listening: Arc<ActiveListener>, mut delivery: Delivery) {
    if delivery.ack.is_void() {
        // The connection was lost while the delivery waited; the broker delivers the event again.
        return;
    }
    let Some((guard, mut known)) = begin(&listening, &delivery).await else { return };
    loop {
        let place = match &listening.places {
            Some(places) => delivery.progress.acquire(places).await,
            None => None,
        };
        if place.is_some() && *listening.stopping.borrow() != Phase::Running {
            // The delivery is dropped, and so goes back to its queue.
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

/// Registers a message as being handled, if it has an id. For a redelivered message, waits until its earlier handling has ended, and
/// returns its known outcome, if any. `None` if the service stops meanwhile.
async fn begin<'a>(
    listening: &'a ActiveListener,
    delivery: &Delivery,
) -> Option<(Option<HandlingGuard<'a>>, Option<VoidOutcome>)> {
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

/// Handles one delivery until it is settled or must be held. If the future is dropped, the delivery goes back to its queue.
async fn handle(
    listening: &ActiveListener,
    delivery: Delivery,
    guard: Option<&HandlingGuard<'_>>,
    known: Option<VoidOutcome>,
) -> Option<Box<HeldDelivery>> {
    if delivery.ack.is_void() {
        if let (Some(guard), Some(known)) = (guard, known) {
            guard.remember(known);
        }
        return None;
    }
    let next = match known {
        Some(VoidOutcome::Decided(decision)) => {
            listening.settle(&delivery, decision);
            NextStep::Settled
        }
        Some(VoidOutcome::DeadLetter(verdict)) => NextStep::DeadLetter(verdict),
        Some(VoidOutcome::Held(mut way)) => {
            if let Destination::Dead(message) = &mut way {
                message.body = delivery.body.clone();
            }
            let why = "the broker took the delivery back before the event was moved to another queue".to_owned();
            return Some(Box::new(HeldDelivery { delivery, way, why }));
        }
        Some(VoidOutcome::Failed(failed, due)) => attempts(listening, &delivery, Some((failed, due))).await,
        None => match refused_unread(listening, &delivery) {
            Some(verdict) => NextStep::DeadLetter(verdict),
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
        NextStep::Settled | NextStep::Void(..) => None,
        NextStep::Later(pause, failed) => requeue::postpone(listening, delivery, pause, failed).await,
        NextStep::DeadLetter(verdict) => requeue::dead_letter(listening, delivery, verdict).await,
    };
    // the delivery was moved to another queue while the broker took it back
    if let Some(guard) = guard {
        guard.remember_if_void(&ack);
    }
    held
}

/// Returns the cause if a delivery is dead-lettered unread: it was redelivered too often, or is too large.
fn refused_unread(listening: &ActiveListener, delivery: &Delivery) -> Option<DeadLetterCause> {
    let (bytes, most) = (delivery.body.len(), listening.bus.max_event());
    let (reason, error) = if delivery.redeliveries > listening.redeliveries {
        let error = format!(
            "the event was delivered {} times without an outcome: each time the service ended, lost its connection or returned the event",
            delivery.redeliveries
        );
        (Reason::Redelivered, error)
    } else if bytes > most {
        (Reason::Size, format!("the event has {bytes} bytes, at most {most} are allowed"))
    } else {
        return None;
    };
    Some(DeadLetterCause { failed: delivery.failed(), ..DeadLetterCause::of(reason, error) })
}

/// The next step of a delivery after its attempts.
enum NextStep {
    Settled,
    /// The event is retried after this delay, by any member of the group.
    Later(Duration, FailedAttempts),
    /// The broker took the delivery back during the pause before its next attempt, which is due at this time.
    Void(FailedAttempts, tokio::time::Instant),
    DeadLetter(DeadLetterCause),
}

impl NextStep {
    /// Returns the outcome to remember if the delivery is void; `None` if the redelivered message is to be handled again.
    fn known(self, delivery: &Delivery) -> Option<VoidOutcome> {
        match self {
            Self::Settled => match delivery.ack.decision()? {
                Decision::Requeue => None,
                decision => Some(VoidOutcome::Decided(decision)),
            },
            Self::Later(pause, failed) => Some(VoidOutcome::Failed(failed, tokio::time::Instant::now() + pause)),
            Self::Void(failed, due) => Some(VoidOutcome::Failed(failed, due)),
            Self::DeadLetter(verdict) => Some(VoidOutcome::DeadLetter(verdict)),
        }
    }
}

/// Calls the handler until it decides or succeeds, until the event must be dead-lettered, or until the next pause is too long for
/// this process.
///
/// `known` has the failed attempts of an earlier delivery and the time of the next attempt. It overrides the delivery's headers.
async fn attempts(
    listening: &ActiveListener,
    delivery: &Delivery,
    known: Option<(FailedAttempts, tokio::time::Instant)>,
) -> NextStep {
    let (event, group) = (listening.queue.event, listening.queue.group);
    let message_id = delivery.message_id.as_deref();
    let mut failed = match known {
        None => delivery.failed(),
        Some((failed, due)) => {
            let left = due.saturating_duration_since(tokio::time::Instant::now());
            if left > HERE && !listening.is_ordered() {
                return NextStep::Later(left, failed);
            }
            match pause(listening, delivery, left).await {
                PauseEnd::Over => Some(failed),
                PauseEnd::Stopping => return NextStep::Settled,
                PauseEnd::Void => return NextStep::Void(failed, due),
            }
        }
    };
    let (ack, progress) = (&delivery.ack, &delivery.progress);
    let envelope = match envelope::decode(&delivery.body, event) {
        Ok(envelope) => envelope,
        Err(violation) => return NextStep::DeadLetter(not_an_envelope(&violation, failed)),
    };
    let session = envelope.session.clone().unwrap_or_else(Session::new);
    let mut patience = StoreBackoff::default();
    loop {
        // the attempt begins after the store has answered, so that a failing store uses up no attempt
        let Some(begun) = claim(listening, delivery, &mut patience).await else { return given_up(delivery, failed) };
        let attempt = failed.as_ref().map_or(1, |failed| failed.attempts.saturating_add(1));
        let (mut incoming, span) = incoming(listening, delivery, &envelope, &session, attempt, failed.as_ref());
        let clock = AttemptTimer::start(&listening.metrics);
        progress.attempt_begins(AttemptStart {
            event,
            group,
            handler: listening.listener.handler,
            number: attempt,
            message_id,
        });
        let mut store_works = true;
        let outcome = match begun {
            ClaimOutcome::Done => {
                listening.store.works();
                ack.ack();
                clock.stop(AttemptOutcome::Skipped);
                progress.attempt_ends(AttemptEnd::Skipped);
                span.debug(|| {
                    tracing::debug!(event, group, message_id, "the event was skipped: the group has handled it before")
                });
                return NextStep::Settled;
            }
            ClaimOutcome::New(claim) => {
                incoming.transaction = claim.transaction();
                let handler = guarded(|| (listening.listener.handle)(incoming), || span.enter());
                let kept = |time| {
                    slow_handlers::warn(listening, time, "a handler blocked its thread, so that nothing else ran on it")
                };
                match listening.runs.watched(handler, kept).await {
                    // Commits before the ack, so that every acked event is remembered.
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
                        Err(NotCommitted::Store(trouble)) => {
                            listening.store.fails(&trouble, &listening.metrics);
                            store_works = false;
                            Ok(Err(Failure::Handler(trouble.cause)))
                        }
                    },
                    outcome => outcome,
                }
            }
        };
        // while the outbox fails, the claims that succeed between its failures don't count
        if store_works && !is_store_failure(&outcome) {
            listening.store.works();
        }
        if let Some(decision) = ack.decision() {
            let ok = matches!(outcome, Ok(Ok(())));
            clock.stop(if ok { AttemptOutcome::Handled } else { AttemptOutcome::Failed });
            progress.attempt_ends(AttemptEnd::Decided(decision));
            span.debug(|| {
                tracing::debug!(event, group, attempt, ?decision, ok, "the handler decided the outcome itself")
            });
            return NextStep::Settled;
        }
        let (reason, error, what) = match outcome {
            Ok(Ok(())) => {
                ack.ack();
                clock.stop(AttemptOutcome::Handled);
                progress.attempt_ends(AttemptEnd::Handled);
                span.debug(|| tracing::debug!(event, group, attempt, "handled"));
                return NextStep::Settled;
            }
            Ok(Err(Failure::Content(refusal))) => {
                span.failed("content", None);
                let verdict = broken("content", &refusal, failed);
                progress.attempt_ends(AttemptEnd::Refused(&verdict.error));
                return NextStep::DeadLetter(verdict);
            }
            Ok(Err(Failure::Context(refusal))) => {
                span.failed("context", None);
                let verdict = broken("context", &refusal, failed);
                progress.attempt_ends(AttemptEnd::Refused(&verdict.error));
                return NextStep::DeadLetter(verdict);
            }
            Ok(Err(Failure::Handler(error))) => match FailAction::of(&*error) {
                FailAction::Store => {
                    drop((clock, span));
                    match patience.wait(listening, delivery, Trouble { cause: error, busy: false }).await {
                        Some(()) => continue,
                        None => return given_up(delivery, failed),
                    }
                }
                what => (Reason::Handler, chain(&*error), what),
            },
            Err(panic) => (Reason::Panic, panic, FailAction::Retry),
        };
        clock.stop(AttemptOutcome::Failed);
        progress.attempt_ends(AttemptEnd::Failed(&error));
        span.failed(reason.as_str(), Some(&error));
        let this = FailedAttempts::after(failed.take(), attempt, &error);
        let pause = match what {
            FailAction::Drop => {
                span.within(|| {
                    tracing::warn!(event, group, attempt, message_id, error, "the handler dropped the event")
                });
                ack.drop();
                listening.metrics.dropped();
                return NextStep::Settled;
            }
            FailAction::DeadLetter => None,
            FailAction::Retry | FailAction::Store => listening.retry.pause(attempt),
            FailAction::RetryAfter(after) => listening.retry.pause(attempt).map(|_| after),
        };
        let Some(pause) = pause else {
            return NextStep::DeadLetter(DeadLetterCause { reason, error, violations: Vec::new(), failed: Some(this) });
        };
        span.within(|| {
            tracing::warn!(event, group, attempt, message_id, error, ?pause, "the attempt failed, retrying")
        });
        listening.metrics.retried();
        // An ordered listener keeps its order, and a short pause isn't worth a round trip through the broker.
        if pause > HERE && !listening.is_ordered() {
            return NextStep::Later(pause, this);
        }
        // The pause isn't part of the attempt.
        drop((clock, span));
        let due = tokio::time::Instant::now() + pause;
        match crate::service::attempt::pause(listening, delivery, pause).await {
            PauseEnd::Over => {}
            PauseEnd::Stopping => return NextStep::Settled,
            PauseEnd::Void => return NextStep::Void(this, due),
        }
        failed = Some(this);
    }
}

/// Returns whether an attempt failed because the handler's outbox failed.
fn is_store_failure(outcome: &Result<Result<(), Failure>, String>) -> bool {
    matches!(outcome, Ok(Err(Failure::Handler(error))) if FailAction::of(&**error) == FailAction::Store)
}

/// Returns the next step of a delivery that stops waiting for the store.
fn given_up(delivery: &Delivery, failed: Option<FailedAttempts>) -> NextStep {
    match failed {
        Some(failed) if delivery.ack.is_void() => NextStep::Void(failed, tokio::time::Instant::now()),
        _ => NextStep::Settled,
    }
}

/// Why a pause between two attempts has ended.
enum PauseEnd {
    Over,
    /// The service stops, and the delivery has gone back.
    Stopping,
    /// The broker has taken the delivery back.
    Void,
}

/// Waits between two attempts and keeps the delivery. In an ordered listener, all unsettled deliveries are returned to the broker
/// after half of its `consumer_timeout`, and delivered again in the same order.
async fn pause(listening: &ActiveListener, delivery: &Delivery, pause: Duration) -> PauseEnd {
    if pause.is_zero() {
        return PauseEnd::Over;
    }
    let mut stopping = listening.stopping.clone();
    let mut over = std::pin::pin!(delivery.progress.pause(pause));
    let half = delivery.arrived + listening.consumer_timeout / 2;
    let mut renewed = !listening.is_ordered();
    loop {
        tokio::select! {
            () = &mut over => return PauseEnd::Over,
            () = delivery.ack.voided() => return PauseEnd::Void,
            () = sleep_until(half), if !renewed => {
                renewed = true;
                listening.renew.notify_one();
            }
            () = phase::stopping(&mut stopping) => {
                delivery.ack.reject();
                return PauseEnd::Stopping;
            }
        }
    }
}

/// Measures one attempt. A cancelled attempt has no outcome and no duration in the metrics.
struct AttemptTimer<'a> {
    metrics: &'a ListenerMetrics,
    begun: Instant,
    outcome: Cell<Option<(AttemptOutcome, Duration)>>,
}

impl<'a> AttemptTimer<'a> {
    fn start(metrics: &'a ListenerMetrics) -> Self {
        metrics.begun();
        Self { metrics, begun: Instant::now(), outcome: Cell::new(None) }
    }

    fn stop(&self, outcome: AttemptOutcome) {
        self.outcome.set(Some((outcome, self.begun.elapsed())));
    }
}

impl Drop for AttemptTimer<'_> {
    fn drop(&mut self) {
        self.metrics.ended(self.outcome.get());
    }
}

/// Asks the dedupe store whether the event was handled before, and repeats the request until the store answers. `None` if the
/// service stops or the delivery is void.
async fn claim(listening: &ActiveListener, delivery: &Delivery, patience: &mut StoreBackoff) -> Option<ClaimOutcome> {
    let Some(dedupe) = &listening.dedupe else { return Some(ClaimOutcome::New(Box::new(dedupe::Unheld))) };
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

/// The pauses between requests to a failing store, for one delivery.
struct StoreBackoff {
    pause: Duration,
}

impl Default for StoreBackoff {
    fn default() -> Self {
        Self { pause: Duration::from_millis(100) }
    }
}

impl StoreBackoff {
    /// The longest pause. A delivery notices that the store works again after at most this time.
    const MOST: Duration = Duration::from_secs(5);

    /// Waits before the next request to the store; each pause is twice the last one. `None` if the service stops, or the broker
    /// has taken the delivery back.
    async fn wait(&mut self, listening: &ActiveListener, delivery: &Delivery, trouble: Trouble) -> Option<()> {
        listening.store.fails(&trouble, &listening.metrics);
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

/// Returns the input of one attempt, and its span.
fn incoming(
    listening: &ActiveListener,
    delivery: &Delivery,
    envelope: &Envelope,
    session: &Session,
    attempt: u32,
    failed: Option<&FailedAttempts>,
) -> (Incoming, ActiveSpan) {
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

fn not_an_envelope(violation: &Violation, failed: Option<FailedAttempts>) -> DeadLetterCause {
    DeadLetterCause {
        violations: DeadLetter::violations("", std::slice::from_ref(violation)),
        failed,
        ..DeadLetterCause::of(Reason::Envelope, format!("the message is not an envelope of the event: {violation}"))
    }
}

/// Returns the cause of a delivery whose content or context breaks its contract. `failed` has only the earlier attempts: the handler
/// was not called in this one.
fn broken(part: &str, refusal: &Refusal, failed: Option<FailedAttempts>) -> DeadLetterCause {
    DeadLetterCause {
        violations: DeadLetter::violations(&format!("/{part}"), &refusal.violations),
        failed,
        ..DeadLetterCause::of(Reason::Contract, format!("the {part} breaks its contract: {refusal}"))
    }
}
