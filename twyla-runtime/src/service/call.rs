//! Calls the handler for one delivery: the dedupe store, the span and the metrics of the attempt, and the commit.

use std::cell::Cell;
use std::time::{Duration, Instant};

use chrono::Utc;

use super::ack::Decision;
use super::active_listener::ActiveListener;
use super::admission::{Admission, Applicant, admit, judged};
use super::call_outcome::CallOutcome;
use super::catch_panic::guarded;
use super::dedupe::{self, ClaimOutcome, Identity, NotCommitted, Trouble};
use super::fail::FailAction;
use super::handler::{Failure, Incoming};
use super::limits::Pass;
use super::meta::Meta;
use super::phase;
use super::slow_handlers;
use super::store_backoff::StoreBackoff;
use super::verdict::FailedAttempts;
use crate::contract::envelope::Envelope;
use crate::contract::session::Session;
use crate::telemetry::metrics::{AttemptOutcome, ListenerMetrics};
use crate::telemetry::span::{self, ActiveSpan, TracedEvent};
use crate::transport::{Delivery, QueueSpec};

/// One attempt at a delivery.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) delivery: &'a Delivery,
    pub(crate) envelope: &'a Envelope,
    pub(crate) session: &'a Session,
    /// The number of the attempt, from 1.
    pub(crate) number: u32,
    pub(crate) failed: Option<&'a FailedAttempts>,
}

/// A call of the handler that has ended, for one delivery.
pub(crate) struct Called<'a> {
    pub(crate) outcome: CallOutcome,
    pub(crate) clock: AttemptTimer<'a>,
    pub(crate) span: ActiveSpan,
}

/// Why the handler wasn't called.
pub(crate) enum Uncalled {
    /// The event waits for the limits of its listener elsewhere, for this time.
    Later(Duration),
    /// The service stops, or the delivery is void.
    Ended,
}

/// Calls the handler once the limits let the event pass and the store has answered, and again while the store fails.
pub(crate) async fn call<'a>(
    listening: &'a ActiveListener,
    attempt: Attempt<'_>,
    patience: &mut StoreBackoff,
) -> Result<Called<'a>, Uncalled> {
    let delivery = attempt.delivery;
    let ack = &delivery.ack;
    loop {
        // each call of the handler has a pass of its own
        let mut pass = match admit(listening, Applicant::of(delivery)).await {
            Admission::Admitted(pass) => pass,
            Admission::Later(pause) => return Err(Uncalled::Later(pause)),
            Admission::Ended => return Err(Uncalled::Ended),
        };
        // wait for the store before an attempt begins, so that a failing store uses up no attempt
        let begun = claim(listening, delivery, patience).await.ok_or(Uncalled::Ended)?;
        // a pause may have begun while the event waited for a connection
        if matches!(begun, ClaimOutcome::New(_)) && pass.is_stale() {
            continue;
        }
        let span = attempt.span(listening);
        let mut incoming = attempt.incoming(listening, &span);
        let clock = AttemptTimer::start(&listening.metrics);
        delivery.progress.attempt_begins(listening.attempt_start(attempt.number, delivery.message_id.as_deref()));
        let outcome = match begun {
            ClaimOutcome::Done => CallOutcome::Skipped,
            ClaimOutcome::New(claim) => {
                incoming.transaction = claim.transaction();
                let handler = guarded(|| (listening.listener.handle)(incoming), || span.enter());
                let kept = |time| {
                    slow_handlers::warn(listening, time, "a handler blocked its thread, so that nothing else ran on it")
                };
                let handler = listening.runs.watched(handler, kept);
                CallOutcome::Ended(match pass.watched(handler, listening.consumer_timeout / 2).await {
                    // Commits before the ack, so that every acked event is remembered.
                    Ok(Ok(())) if ack.decision() != Some(Decision::Requeue) => match claim.commit().await {
                        Ok(()) => Ok(Ok(())),
                        Err(NotCommitted::Handler(error)) => Ok(Err(Failure::Handler(error))),
                        Err(NotCommitted::Store(trouble)) if ack.decision().is_none() => {
                            drop((clock, span, pass));
                            patience.wait(listening, delivery, trouble).await.ok_or(Uncalled::Ended)?;
                            continue;
                        }
                        // the handler has decided, and is not called again: no event waits for the store
                        Err(NotCommitted::Store(trouble)) => {
                            listening.metrics.store_failed();
                            // says nothing about the handler
                            pass = Pass::free();
                            Ok(Err(Failure::Handler(trouble.cause)))
                        }
                    },
                    outcome => outcome,
                })
            }
        };
        // while the outbox fails, the claims that succeed between its failures don't count
        if !is_store_failure(&outcome) {
            patience.works(listening);
        }
        let outcome = match outcome {
            CallOutcome::Ended(Ok(Err(Failure::Handler(error))))
                if ack.decision().is_none() && FailAction::of(&*error) == FailAction::Store =>
            {
                drop((clock, span, pass));
                let trouble = Trouble { cause: error, busy: false };
                patience.wait(listening, delivery, trouble).await.ok_or(Uncalled::Ended)?;
                continue;
            }
            outcome => outcome,
        };
        pass.ends(|| judged(&outcome));
        return Ok(Called { outcome, clock, span });
    }
}

/// Returns whether an attempt failed because the handler's outbox failed.
fn is_store_failure(outcome: &CallOutcome) -> bool {
    let CallOutcome::Ended(Ok(Err(Failure::Handler(error)))) = outcome else { return false };
    FailAction::of(&**error) == FailAction::Store
}

impl<'a> Attempt<'a> {
    /// Returns the attempt after these failed ones.
    pub(crate) fn after(self, failed: Option<&'a FailedAttempts>) -> Self {
        Self { number: failed.map_or(1, |failed| failed.attempts.saturating_add(1)), failed, ..self }
    }

    /// Starts the span of the attempt.
    pub(crate) fn span(&self, listening: &ActiveListener) -> ActiveSpan {
        let Self { delivery, session, number: attempt, .. } = *self;
        let event = TracedEvent {
            message_id: delivery.message_id.as_deref(),
            size: delivery.body.len(),
            redeliveries: delivery.redeliveries,
            attempt,
            session,
            parent: delivery.trace.as_ref(),
        };
        span::process(&listening.queue, event, listening.bus.system())
    }

    /// Returns the input of the attempt.
    pub(crate) fn incoming(&self, listening: &ActiveListener, span: &ActiveSpan) -> Incoming {
        let Self { delivery, envelope, session, number, failed } = *self;
        Incoming {
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
                attempt: number,
                first_failure: failed.map(|failed| failed.first.clone()),
            },
            bus: listening.bus.within(session.id, span.context()),
            states: listening.states.clone(),
            ack: delivery.ack.clone(),
            transaction: None,
        }
    }
}

/// Measures one attempt. A cancelled attempt is not recorded.
pub(crate) struct AttemptTimer<'a> {
    metrics: &'a ListenerMetrics,
    begun: Instant,
    outcome: Cell<Option<(AttemptOutcome, Duration)>>,
}

impl<'a> AttemptTimer<'a> {
    pub(crate) fn start(metrics: &'a ListenerMetrics) -> Self {
        Self::since(metrics, Instant::now())
    }

    /// Measures an attempt that began at `begun`.
    pub(crate) fn since(metrics: &'a ListenerMetrics, begun: Instant) -> Self {
        metrics.begun();
        Self { metrics, begun, outcome: Cell::new(None) }
    }

    pub(crate) fn stop(&self, outcome: AttemptOutcome) {
        self.outcome.set(Some((outcome, self.begun.elapsed())));
    }
}

impl Drop for AttemptTimer<'_> {
    fn drop(&mut self) {
        self.metrics.ended(self.outcome.get());
    }
}

/// Asks the store whether the event was handled before, until it answers. `None` if the service stops or the delivery is void.
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
