//! The steps of an attempt at a batch: asks the store which events were handled before, calls the handler, and commits.

use std::sync::PoisonError;

use super::active_listener::ActiveListener;
use super::batch_answers::InBatch;
use super::batch_fail::BatchFailure;
use super::batch_failure::{not_committed, store_trouble};
use super::catch_panic::guarded;
use super::dedupe::{self, BatchClaim, BatchClaimOutcome, BatchIdentity, Transacting, Trouble};
use super::handler::{BatchIncoming, Batching, failed_batch};
use super::phase::{self, Phase};
use super::slow_handlers;
use crate::dead_letter::letter::Reason;
use crate::telemetry::metrics::ListenerMetrics;
use crate::telemetry::span::ActiveSpan;

/// Asks the store which events were handled before. `None` if the service stops.
pub(crate) async fn claim(
    listening: &ActiveListener,
    members: &[InBatch],
) -> Option<Result<BatchClaimOutcome, Trouble>> {
    let Some(dedupe) = &listening.dedupe else {
        let done = vec![false; members.len()];
        return Some(Ok(BatchClaimOutcome { done, claim: Box::new(dedupe::Unheld) }));
    };
    let ids: Vec<_> = members.iter().map(|(_, member)| member.incoming.meta.message_id.as_deref()).collect();
    let (queue, group) = (listening.queue.name.as_str(), listening.queue.group);
    let batch = BatchIdentity { queue, group, message_ids: &ids };
    let mut stopping = listening.stopping.clone();
    tokio::select! {
        biased;
        begun = dedupe.store.begin_batch(batch) => Some(begun),
        // a batch that gathered until the service stopped is still handled
        () = async {
            phase::stopping(&mut stopping).await;
            let _ = stopping.wait_for(|phase| *phase == Phase::Ending).await;
        } => None,
    }
}

/// Calls the handler, and returns its failure.
pub(crate) async fn call_handler(
    listening: &ActiveListener,
    batching: Batching,
    members: &mut [InBatch],
    transaction: Option<Transacting>,
    span: &ActiveSpan,
) -> Option<(Reason, BatchFailure)> {
    let _in_progress = InProgress::begin(&listening.metrics, members.len());
    let (bus, states, trace) =
        (listening.bus.in_trace(span.context()), listening.states.clone(), span.context().cloned());
    let call = || {
        let opened = members.iter_mut().map(|(_, member)| {
            let opened = member.opened.get_mut().unwrap_or_else(PoisonError::into_inner).take();
            opened.map_or_else(|| (batching.open)(member.incoming.clone()), Ok)
        });
        match opened.collect() {
            Ok(events) => (batching.handle)(BatchIncoming { events, bus, states, trace, transaction }),
            Err(failure) => failed_batch(failure),
        }
    };
    let handler = guarded(call, || span.enter());
    let kept =
        |time| slow_handlers::warn(listening, time, "a handler blocked its thread, so that nothing else ran on it");
    match listening.runs.watched(handler, kept).await {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some((Reason::Handler, failure)),
        Err(panic) => Some((Reason::Panic, BatchFailure::Whole(panic.into()))),
    }
}

/// Commits what the handler has done, unless it failed, and returns the batch's failure.
pub(crate) async fn committed(
    listening: &ActiveListener,
    failure: Option<(Reason, BatchFailure)>,
    claim: Box<dyn BatchClaim>,
    indices: &[usize],
) -> Result<Option<(Reason, BatchFailure)>, Trouble> {
    let (failure, failed) = match failure {
        None => (None, Vec::new()),
        Some((reason, failure)) => {
            let failure = store_trouble(failure, !listening.takes_transaction())?;
            match &failure {
                BatchFailure::Events(events) if events.len() < indices.len() && !listening.takes_transaction() => {
                    let failed = events.iter().filter_map(|(index, _)| indices.get(*index).copied()).collect();
                    (Some((reason, failure)), failed)
                }
                // dropping the claim rolls the transaction back
                _ => return Ok(Some((reason, failure))),
            }
        }
    };
    match claim.commit(failed).await {
        Ok(()) => Ok(failure),
        Err(error) => not_committed(error).map(Some),
    }
}

/// Counts the events of a batch as in progress until it is dropped.
struct InProgress<'a> {
    metrics: &'a ListenerMetrics,
    events: usize,
}

impl<'a> InProgress<'a> {
    fn begin(metrics: &'a ListenerMetrics, events: usize) -> Self {
        (0..events).for_each(|_| metrics.begun());
        Self { metrics, events }
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        (0..self.events).for_each(|_| self.metrics.ended(None));
    }
}
