//! The attempts at one delivery: calls the handler with short pauses between attempts until the next step is known.

use std::time::Duration;

use tokio::time::sleep_until;

use super::ack::Decision;
use super::active_listener::ActiveListener;
use super::batch_call::call_in_batch;
use super::call::{Attempt, Called, Uncalled, call};
use super::call_outcome::CallOutcome;
use super::catch_panic::chain;
use super::fail::FailAction;
use super::gather::Membership;
use super::handler::Failure;
use super::phase;
use super::recall::VoidOutcome;
use super::retry::HERE;
use super::store_backoff::StoreBackoff;
use super::verdict::{DeadLetterCause, FailedAttempts};
use crate::contract::session::Session;
use crate::dead_letter::letter::{DeadLetter, Reason};
use crate::progress::AttemptEnd;
use crate::telemetry::metrics::AttemptOutcome;
use crate::transport::Delivery;
use crate::wire::Form;
use twyla_codec::validate::{Refusal, Violation};

/// The next step of a delivery after its attempts.
pub(super) enum NextStep {
    Settled,
    /// The event is handled after this delay, by any member of the group.
    Later(Duration, Option<FailedAttempts>),
    /// The broker took the delivery back during the pause before its next attempt, which is due at this time.
    Void(FailedAttempts, tokio::time::Instant),
    DeadLetter(DeadLetterCause),
}

impl NextStep {
    /// Returns the outcome to remember if the delivery is void; `None` if the redelivered message is to be handled again.
    pub(super) fn known(self, delivery: &Delivery) -> Option<VoidOutcome> {
        match self {
            Self::Settled => match delivery.ack.decision()? {
                Decision::Requeue => None,
                decision => Some(VoidOutcome::Decided(decision)),
            },
            Self::Later(pause, failed) => Some(VoidOutcome::Failed(failed?, tokio::time::Instant::now() + pause)),
            Self::Void(failed, due) => Some(VoidOutcome::Failed(failed, due)),
            Self::DeadLetter(verdict) => Some(VoidOutcome::DeadLetter(verdict)),
        }
    }
}

/// Calls the handler until it succeeds or settles the delivery itself, until the event must be dead-lettered, or until the next
/// pause is too long for this process.
///
/// `known` has the failed attempts of an earlier delivery and the time of the next attempt. It overrides the delivery's headers.
pub(super) async fn attempts(
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
                return NextStep::Later(left, Some(failed));
            }
            match pause(listening, delivery, left).await {
                PauseEnd::Over => Some(failed),
                PauseEnd::Stopping => return NextStep::Settled,
                PauseEnd::Void => return NextStep::Void(failed, due),
            }
        }
    };
    let (ack, progress) = (&delivery.ack, &delivery.progress);
    let envelope = match delivery.envelope(event) {
        Ok(envelope) => envelope,
        Err(violation) => return NextStep::DeadLetter(unreadable(delivery.form(), &violation, failed)),
    };
    let session = envelope.session.clone().unwrap_or_else(Session::new);
    let mut patience = StoreBackoff::default();
    loop {
        let number = failed.as_ref().map_or(1, |failed| failed.attempts.saturating_add(1));
        let this = Attempt { delivery, envelope: &envelope, session: &session, number, failed: failed.as_ref() };
        let called = match &listening.gathering {
            None => match call(listening, this, &mut patience).await {
                Ok(called) => Some(called),
                Err(Uncalled::Later(pause)) => return NextStep::Later(pause, failed),
                Err(Uncalled::Ended) => None,
            },
            Some(gathering) => {
                let mut so_far = failed.clone();
                let this = Attempt { failed: None, ..this };
                let called = call_in_batch(listening, gathering, this, &mut so_far, membership).await;
                failed = so_far;
                called
            }
        };
        let Some(Called { outcome, clock, span }) = called else { return given_up(delivery, failed) };
        let attempt = failed.as_ref().map_or(1, |failed| failed.attempts.saturating_add(1));
        let outcome = match outcome {
            CallOutcome::Skipped => {
                ack.ack();
                clock.stop(AttemptOutcome::Skipped);
                progress.attempt_ends(AttemptEnd::Skipped);
                span.debug(|| {
                    tracing::debug!(event, group, message_id, "the event was skipped: the group has handled it before")
                });
                return NextStep::Settled;
            }
            CallOutcome::Acked => {
                clock.stop(AttemptOutcome::Handled);
                progress.attempt_ends(AttemptEnd::Handled);
                span.debug(|| tracing::debug!(event, group, attempt, message_id, "handled in a batch"));
                return NextStep::Settled;
            }
            CallOutcome::Later(pause) => return NextStep::Later(pause, failed),
            CallOutcome::Ended(outcome) => outcome,
        };
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
                let verdict = broken(delivery.form(), "content", &refusal, failed);
                progress.attempt_ends(AttemptEnd::Refused(&verdict.error));
                return NextStep::DeadLetter(verdict);
            }
            Ok(Err(Failure::Context(refusal))) => {
                span.failed("context", None);
                let verdict = broken(delivery.form(), "context", &refusal, failed);
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
        return Err(NextStep::Later(pause, Some(failed)));
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

fn unreadable(form: Form, violation: &Violation, failed: Option<FailedAttempts>) -> DeadLetterCause {
    let error = format!("the message is not {} of the event: {violation}", form.name());
    DeadLetterCause {
        violations: DeadLetter::violations("", std::slice::from_ref(violation)),
        failed,
        ..DeadLetterCause::of(Reason::Envelope, error)
    }
}

/// Returns the cause of a delivery whose content or context breaks its contract. `failed` has only the earlier attempts: the handler
/// was not called in this one.
fn broken(form: Form, part: &str, refusal: &Refusal, failed: Option<FailedAttempts>) -> DeadLetterCause {
    DeadLetterCause {
        violations: DeadLetter::violations(form.pointer(part), &refusal.violations),
        failed,
        ..DeadLetterCause::of(Reason::Contract, format!("the {part} breaks its contract: {refusal}"))
    }
}
