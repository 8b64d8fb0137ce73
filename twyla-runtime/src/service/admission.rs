//! Waits until an event or a batch may be handled within the limits of its listener.

use std::error::Error as StdError;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::ack::Ack;
use super::active_listener::ActiveListener;
use super::batch_fail::BatchFailure;
use super::breaker::Entry;
use super::call_outcome::CallOutcome;
use super::catch_panic::chain;
use super::fail::FailAction;
use super::handler::Failure;
use super::limits::{Judgement, Limits, Pass};
use super::phase;
use super::rate_limit::RateLimit;
use super::store_backoff::StoreBackoff;
use crate::dead_letter::letter::Reason;
use crate::progress::DeliveryProgress;
use crate::transport::Delivery;

/// How long an event that has waited too long in this process waits in a retry queue.
const AWAY: Duration = Duration::from_secs(60);

/// An event, or the first of a batch, that waits.
#[derive(Clone, Copy)]
pub(crate) struct Applicant<'a> {
    pub(crate) progress: &'a DeliveryProgress,
    pub(crate) ack: &'a Ack,
    pub(crate) arrived: Instant,
    /// The number of events in its batch.
    pub(crate) events: usize,
}

impl<'a> Applicant<'a> {
    pub(crate) fn of(delivery: &'a Delivery) -> Self {
        let Delivery { progress, ack, arrived, .. } = delivery;
        Self { progress, ack, arrived: *arrived, events: 1 }
    }
}

/// The end of the wait.
pub(crate) enum Admission<'a> {
    /// The handler may be called.
    Admitted(Pass<'a>),
    /// The broker would take the delivery back soon: the event waits in a retry queue, for this time.
    Later(Duration),
    /// The service stops, or the broker has taken the delivery back.
    Ended,
}

/// Waits until the event or the batch may be handled.
///
/// A delivery that would wait for longer than half of the broker's `consumer_timeout` goes to a retry queue, which doesn't count as
/// a redelivery. In an ordered listener, all unsettled deliveries return to the broker instead, and are delivered again in the same order.
pub(crate) async fn admit<'a>(listening: &'a ActiveListener, applicant: Applicant<'_>) -> Admission<'a> {
    let Some(limits) = &listening.limits else { return Admission::Admitted(Pass::free()) };
    tokio::select! {
        biased;
        pass = pass(listening, limits, applicant) => Admission::Admitted(pass),
        ended = end(listening, applicant) => ended,
    }
}

/// Waits for the event's turn, and until the limits let it pass.
async fn pass<'a>(listening: &ActiveListener, limits: &'a Limits, applicant: Applicant<'_>) -> Pass<'a> {
    let progress = applicant.progress;
    let turn = limits.turn(progress).await;
    let mut rate = limits.rate.as_ref();
    loop {
        let entry = limits.pauses.as_ref().map_or(Entry::Closed, |pauses| pauses.enter(limits.now(progress)));
        if let Entry::Open(left) = entry {
            progress.pause(left).await;
        } else if let Some(rate) = rate.take() {
            // only now, since an event that leaves in a pause would lose its tokens; a pause may begin meanwhile
            take(listening, limits, rate, applicant).await;
        } else {
            return Pass::of(limits, progress, (entry == Entry::HalfOpen).then_some(turn));
        }
    }
}

/// Returns what the outcome of an event says about the handler.
pub(crate) fn judged(outcome: &CallOutcome) -> Judgement {
    match outcome {
        CallOutcome::Ended(Ok(Ok(()))) => Judgement::Works,
        CallOutcome::Ended(Ok(Err(Failure::Handler(error)))) => failure(&**error),
        CallOutcome::Ended(Err(panic)) => Judgement::Fails(panic.clone()),
        CallOutcome::Ended(Ok(Err(Failure::Content(_) | Failure::Context(_))))
        | CallOutcome::Skipped
        | CallOutcome::Acked
        | CallOutcome::Later(_) => Judgement::Unknown,
    }
}

/// Returns what the failure of a batch says about the handler, or its success.
pub(crate) fn judged_batch(failed: Option<&(Reason, BatchFailure)>) -> Judgement {
    match failed {
        None => Judgement::Works,
        Some((Reason::Panic, BatchFailure::Whole(error))) => Judgement::Fails(chain(&**error)),
        Some((_, BatchFailure::Whole(error))) => failure(&**error),
        Some((_, BatchFailure::Events(events))) => {
            let mut judgements = events.iter().map(|(_, error)| failure(&**error));
            judgements.find(|it| *it != Judgement::Unknown).unwrap_or(Judgement::Unknown)
        }
    }
}

/// An event that the handler dead-letters or drops is refused by a handler that works.
fn failure(error: &(dyn StdError + 'static)) -> Judgement {
    match FailAction::of(error) {
        FailAction::Retry | FailAction::RetryAfter(_) => Judgement::Fails(chain(error)),
        FailAction::DeadLetter | FailAction::Drop | FailAction::Store => Judgement::Unknown,
    }
}

/// Takes the tokens of the events. While the database that has them fails, the events wait, as they do for the dedupe store.
async fn take(listening: &ActiveListener, limits: &Limits, rate: &RateLimit, applicant: Applicant<'_>) {
    let Applicant { progress, events, .. } = applicant;
    let events = u32::try_from(events).unwrap_or(u32::MAX);
    let is_virtual = progress.virtual_time().is_some();
    let (mut patience, mut waits) = (StoreBackoff::default(), false);
    loop {
        let taken = rate.take(events, limits.now(progress), is_virtual).await;
        if taken.is_ok() {
            patience.works(listening);
        }
        match taken {
            Ok(Duration::ZERO) => return,
            Ok(wait) => {
                if !waits {
                    waits = true;
                    listening.metrics.waits_for_rate();
                    let (event, group) = (listening.queue.event, listening.queue.group);
                    tracing::debug!(event, group, events, ?wait, "the rate of the listener is reached: events wait");
                }
                progress.pause(wait).await;
            }
            Err(trouble) => {
                if !patience.pause(listening, progress, trouble).await {
                    // the service stops, which ends the wait
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

/// Resolves when the delivery can't wait in this process any longer.
async fn end<'a>(listening: &ActiveListener, applicant: Applicant<'_>) -> Admission<'a> {
    let (mut stopping, half) = (listening.stopping.clone(), listening.consumer_timeout / 2);
    tokio::select! {
        () = phase::stopping(&mut stopping) => return Admission::Ended,
        () = applicant.ack.voided() => return Admission::Ended,
        () = sleep_until(applicant.arrived + half) => {}
    }
    if !listening.is_ordered() {
        return Admission::Later(half.min(AWAY));
    }
    listening.renew.notify_one();
    tokio::select! {
        () = phase::stopping(&mut stopping) => {}
        () = applicant.ack.voided() => {}
    }
    Admission::Ended
}
