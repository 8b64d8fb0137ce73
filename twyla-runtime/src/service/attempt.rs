//! Handles one delivery: reads the envelope, calls the handler with short pauses between attempts, and acks, requeues or
//! dead-letters the delivery.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep_until;

use super::ack::Decision;
use super::active_listener::ActiveListener;
use super::batch_call::call_in_batch;
use super::call::{Attempt, Called, call};
use super::call_outcome::CallOutcome;
use super::catch_panic::chain;
use super::fail::FailAction;
use super::gather::Membership;
use super::handler::Failure;
use super::hold::HeldDelivery;
use super::phase::{self, Phase};
use super::recall::{HandlingGuard, VoidOutcome};
use super::requeue;
use super::retry::HERE;
use super::store_backoff::StoreBackoff;
use super::verdict::{DeadLetterCause, Destination, FailedAttempts};
use crate::contract::envelope;
use crate::contract::session::Session;
use crate::dead_letter::letter::{DeadLetter, Reason};
use crate::progress::AttemptEnd;
use crate::telemetry::metrics::AttemptOutcome;
use crate::transport::Delivery;
use twyla_codec::validate::{Refusal, Violation};

/// Handles a delivery once a permit is free, and retries it here if its pause is short. In a batch listener, the batch has the
/// permit.
pub(crate) async fn handle_in_turn(listening: Arc<ActiveListener>, mut delivery: Delivery, mut membership: Membership) {
    if delivery.ack.is_void() {
        // The connection was lost while the delivery waited; the broker delivers the event again.
        return;
    }
    let Some((guard, mut known)) = begin(&listening, &delivery).await else { return };
    loop {
        let places = listening.places.as_ref().filter(|_| listening.gathering.is_none());
        let place = match places {
            Some(places) => delivery.progress.acquire(places).await,
            None => None,
        };
        if place.is_some() && *listening.stopping.borrow() != Phase::Running {
            // It goes back to its queue.
            return;
        }
        let progress = delivery.progress.clone();
        let held = handle(&listening, delivery, guard.as_ref(), known.take(), &mut membership).await;
        progress.release(place, places);
        let Some(held) = held else { return };
        let Some(again) = held.wait(&listening, guard.as_ref()).await else { return };
        delivery = again;
    }
}

/// Begins to handle a message. If it was delivered before, its outcome may be known, or its earlier handling may still run.
/// `None` if the service stops.
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
    membership: &mut Membership,
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
            let why = "no queue took it before the broker took the delivery back".to_owned();
            return Some(Box::new(HeldDelivery { delivery, way, why }));
        }
        Some(VoidOutcome::Failed(failed, due)) => attempts(listening, &delivery, Some((failed, due)), membership).await,
        None => match refused_unread(listening, &delivery) {
            Some(verdict) => NextStep::DeadLetter(verdict),
            None => attempts(listening, &delivery, None, membership).await,
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

/// Returns why a delivery is dead-lettered before its envelope is read, if it is.
fn refused_unread(listening: &ActiveListener, delivery: &Delivery) -> Option<DeadLetterCause> {
    if delivery.redeliveries > listening.redeliveries {
        let error = format!(
            "it was delivered {} times and never acked or rejected: each time the service ended, lost its connection or returned it",
            delivery.redeliveries
        );
        return Some(DeadLetterCause::of(Reason::Redelivered, error));
    }
    let (bytes, most) = (delivery.body.len(), listening.bus.max_event());
    (bytes > most)
        .then(|| DeadLetterCause::of(Reason::Size, format!("it has {bytes} bytes, and at most {most} are allowed")))
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
    /// Returns the outcome to remember if the delivery is void.
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

/// Calls the handler until it decides, succeeds, fails for good, or is to be retried much later.
///
/// A known outcome of an earlier delivery overrides the headers of this one.
async fn attempts(
    listening: &ActiveListener,
    delivery: &Delivery,
    known: Option<(FailedAttempts, tokio::time::Instant)>,
    membership: &mut Membership,
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
        Err(violation) => return NextStep::DeadLetter(not_an_envelope(&violation)),
    };
    let session = envelope.session.clone().unwrap_or_else(Session::new);
    let mut patience = StoreBackoff::default();
    loop {
        let attempt = failed.as_ref().map_or(1, |failed| failed.attempts.saturating_add(1));
        let this =
            Attempt { delivery, envelope: &envelope, session: &session, number: attempt, failed: failed.as_ref() };
        let called = match &listening.gathering {
            None => call(listening, this, &mut patience).await,
            Some(gathering) => call_in_batch(listening, gathering, this, membership).await,
        };
        let Some(Called { outcome, clock, span }) = called else { return given_up(delivery, failed) };
        let outcome = match outcome {
            CallOutcome::Skipped => {
                ack.ack();
                clock.stop(AttemptOutcome::Skipped);
                progress.attempt_ends(AttemptEnd::Skipped);
                span.debug(|| {
                    tracing::debug!(event, group, message_id, "skipped: the group has handled the event before")
                });
                return NextStep::Settled;
            }
            CallOutcome::Acked => {
                clock.stop(AttemptOutcome::Handled);
                progress.attempt_ends(AttemptEnd::Handled);
                span.debug(|| tracing::debug!(event, group, attempt, message_id, "handled in a batch"));
                return NextStep::Settled;
            }
            CallOutcome::BatchFailed { error, what } => {
                clock.stop(AttemptOutcome::Failed);
                progress.attempt_ends(AttemptEnd::Failed(&error));
                drop((clock, span));
                listening.metrics.retried();
                // at once, unless the handler asks for a pause: the other events of the batch are not to blame
                let pause = match what {
                    FailAction::RetryAfter(after) => after,
                    _ => Duration::ZERO,
                };
                match again(listening, delivery, FailedAttempts::after(failed.take(), attempt, &error), pause).await {
                    Ok(this) => failed = Some(this),
                    Err(next) => return next,
                }
                continue;
            }
            CallOutcome::Ended(outcome) => outcome,
        };
        if let Some(decision) = ack.decision() {
            let ok = matches!(outcome, Ok(Ok(())));
            clock.stop(if ok { AttemptOutcome::Handled } else { AttemptOutcome::Failed });
            progress.attempt_ends(AttemptEnd::Decided(decision));
            span.debug(|| tracing::debug!(event, group, attempt, ?decision, ok, "the handler decided"));
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
                let verdict = broken("content", &refusal, attempt);
                progress.attempt_ends(AttemptEnd::Refused(&verdict.error));
                return NextStep::DeadLetter(verdict);
            }
            Ok(Err(Failure::Context(refusal))) => {
                span.failed("context", None);
                let verdict = broken("context", &refusal, attempt);
                progress.attempt_ends(AttemptEnd::Refused(&verdict.error));
                return NextStep::DeadLetter(verdict);
            }
            Ok(Err(Failure::Handler(error))) => (Reason::Handler, chain(&*error), FailAction::of(&*error)),
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
        // The pause isn't part of the attempt.
        drop((clock, span));
        match again(listening, delivery, this, pause).await {
            Ok(this) => failed = Some(this),
            Err(next) => return next,
        }
    }
}

/// Waits before the next attempt. Returns the next step if that isn't made here.
async fn again(
    listening: &ActiveListener,
    delivery: &Delivery,
    failed: FailedAttempts,
    pause: Duration,
) -> Result<FailedAttempts, NextStep> {
    // An ordered listener keeps its order, and a short pause isn't worth a round trip through the broker.
    if pause > HERE && !listening.is_ordered() {
        return Err(NextStep::Later(pause, failed));
    }
    let due = tokio::time::Instant::now() + pause;
    match self::pause(listening, delivery, pause).await {
        PauseEnd::Over => Ok(failed),
        PauseEnd::Stopping => Err(NextStep::Settled),
        PauseEnd::Void => Err(NextStep::Void(failed, due)),
    }
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

/// Waits between two attempts and keeps the delivery. In an ordered listener, the delivery and all those behind it are returned to
/// the broker after half of its `consumer_timeout`, and delivered again in the same order.
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

fn not_an_envelope(violation: &Violation) -> DeadLetterCause {
    DeadLetterCause {
        violations: DeadLetter::violations("", std::slice::from_ref(violation)),
        ..DeadLetterCause::of(Reason::Envelope, format!("the message is not an envelope of the event: {violation}"))
    }
}

fn broken(part: &str, refusal: &Refusal, attempt: u32) -> DeadLetterCause {
    let error = format!("the {part} breaks its contract: {refusal}");
    DeadLetterCause {
        violations: DeadLetter::violations(&format!("/{part}"), &refusal.violations),
        // The handler itself was not called.
        failed: (attempt > 1).then(|| FailedAttempts::after(None, attempt - 1, &error)),
        ..DeadLetterCause::of(Reason::Contract, error)
    }
}
