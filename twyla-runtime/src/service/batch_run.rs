//! Calls the handler with a batch until its events are handled, must be handled alone, or must wait elsewhere.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::ack::Ack;
use super::active_listener::ActiveListener;
use super::admission::{Admission, Applicant, admit, judged_batch};
use super::batch_answers::{Answers, InBatch};
use super::batch_fail::BatchFailure;
use super::batch_failure::{
    BoxError, Cause, NextForBatch, failed_with_each, not_committed, split_store, store_trouble,
};
use super::call::Attempt;
use super::call_outcome::CallOutcome;
use super::catch_panic::guarded;
use super::dedupe::{self, BatchClaim, BatchClaimOutcome, BatchIdentity, Transacting, Trouble};
use super::gather::{Answer, BatchMember, Gathering, MemberOutcome};
use super::handler::{BatchIncoming, failed_batch};
use super::limits::Pass;
use super::phase::{self, Phase};
use super::slow_handlers;
use super::store_backoff::StoreBackoff;
use crate::dead_letter::letter::Reason;
use crate::progress::{AttemptStart, DeliveryProgress};
use crate::telemetry::metrics::ListenerMetrics;
use crate::telemetry::span::{self, ActiveSpan};

/// Handles a batch, or an event `alone`; `progress` is the progress of the delivery whose task calls this. Returns the events
/// with their answers; events without an answer go back to their queue.
pub(crate) async fn handle(
    listening: &ActiveListener,
    gathering: &Gathering,
    members: Vec<BatchMember>,
    progress: &DeliveryProgress,
    alone: Option<Attempt<'_>>,
) -> Vec<(BatchMember, Answer)> {
    let mut batch =
        BatchRun { listening, gathering, alone, answers: Answers::default(), due: Instant::now(), pass: None };
    let mut patience = StoreBackoff::default();
    let mut members: Vec<InBatch> = members.into_iter().enumerate().collect();
    if listening.dedupe.is_some() {
        members = batch.answers.without_duplicates(members);
    }
    loop {
        members = batch.without_void(members);
        let Some((_, first)) = members.first() else { break };
        let (first, arrived) = (first.ack.clone(), first.arrived);
        if batch.pass.is_none() {
            match admit(listening, Applicant { progress, ack: &first, arrived, events: members.len() }).await {
                Admission::Admitted(pass) => batch.pass = Some(pass),
                Admission::Later(pause) => {
                    batch.answers.later(members, pause);
                    break;
                }
                Admission::Ended if first.is_void() => continue,
                Admission::Ended => return Vec::new(),
            }
        }
        let trouble = match batch.claim(&members).await {
            None => return Vec::new(),
            Some(Err(trouble)) => trouble,
            Some(Ok(claimed)) => match batch.attempt(members, claimed).await {
                (again, Ok(None)) => {
                    patience.works(listening);
                    members = again;
                    continue;
                }
                (again, Ok(Some(pause))) => {
                    patience.works(listening);
                    members = again;
                    batch.due = Instant::now() + pause;
                    tokio::select! {
                        () = progress.pause(pause) => {}
                        () = first.voided() => {}
                        () = batch.stopping_or_renewed(arrived) => return Vec::new(),
                    }
                    continue;
                }
                (again, Err(trouble)) => {
                    members = again;
                    trouble
                }
            },
        };
        if !patience.pause(listening, progress, trouble).await {
            return Vec::new();
        }
    }
    batch.answers.finish()
}

/// A batch that is handled, with the answers so far.
struct BatchRun<'a> {
    listening: &'a ActiveListener,
    gathering: &'a Gathering,
    /// The attempt at an event that is handled alone.
    alone: Option<Attempt<'a>>,
    answers: Answers,
    /// The pass of the next attempt.
    pass: Option<Pass<'a>>,
    /// When the next attempt at the batch is due.
    due: Instant,
}

impl BatchRun<'_> {
    /// Returns the events whose deliveries are still valid. The broker delivers the others again; the failed attempts of those are
    /// kept for the next delivery.
    fn without_void(&mut self, members: Vec<InBatch>) -> Vec<InBatch> {
        let (void, valid): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, member)| member.ack.is_void());
        let left = self.due.saturating_duration_since(Instant::now());
        for member in void {
            if member.1.failed.is_some() {
                let later = MemberOutcome::Called(CallOutcome::Later(left));
                self.answers.add(member, later, Instant::now(), &ActiveSpan::none());
            }
        }
        valid
    }

    /// Resolves when the service stops. In an ordered listener, all unsettled deliveries are returned to the broker after half of its
    /// `consumer_timeout`, and delivered again in the same order.
    async fn stopping_or_renewed(&self, arrived: tokio::time::Instant) {
        let listening = self.listening;
        let mut stopping = listening.stopping.clone();
        if listening.is_ordered() {
            tokio::select! {
                () = phase::stopping(&mut stopping) => return,
                () = sleep_until(arrived + listening.consumer_timeout / 2) => listening.renew.notify_one(),
            }
        }
        phase::stopping(&mut stopping).await;
    }

    /// Asks the store which events were handled before. `None` if the service stops.
    async fn claim(&self, members: &[InBatch]) -> Option<Result<BatchClaimOutcome, Trouble>> {
        let listening = self.listening;
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

    /// Calls the handler with the events that weren't handled before, and answers those that need no other attempt in this batch.
    /// Returns the others, with the pause before their next attempt, or with the failure of the store.
    async fn attempt(
        &mut self,
        members: Vec<InBatch>,
        claimed: BatchClaimOutcome,
    ) -> (Vec<InBatch>, Result<Option<Duration>, Trouble>) {
        let listening = self.listening;
        let BatchClaimOutcome { done, claim } = claimed;
        // the events to handle, with their index in the claim
        let (mut indices, mut events) = (Vec::with_capacity(members.len()), Vec::with_capacity(members.len()));
        for (index, (member, done)) in members.into_iter().zip(done).enumerate() {
            member.1.progress.attempt_begins(start(listening, &member.1));
            if done {
                let skipped = MemberOutcome::Called(CallOutcome::Skipped);
                self.answers.add(member, skipped, Instant::now(), &ActiveSpan::none());
            } else {
                indices.push(index);
                events.push(member);
            }
        }
        if events.is_empty() {
            return (events, Ok(None));
        }
        let (span, begun) = (self.span(&events), Instant::now());
        let failure = self.call(&mut events, claim.transaction(), &span).await;
        let failure = match self.committed(failure, claim, &indices).await {
            Ok(failure) => failure,
            Err(trouble) => return (events, Err(trouble)),
        };
        if let Some(pass) = self.pass.take() {
            pass.ends(|| judged_batch(failure.as_ref()));
        }
        let failure = match failure {
            Some((_, BatchFailure::Events(failed))) => return self.some_failed(events, failed, begun, &span),
            Some((reason, BatchFailure::Whole(error))) => Some((reason, error)),
            None => None,
        };
        match failure {
            None => self.handled(events, begun, &span),
            Some((reason, error)) => {
                return self.whole_failed(events, &Cause::of(reason, error, &span), begun, &span);
            }
        }
        (Vec::new(), Ok(None))
    }

    /// Acks and answers handled events.
    fn handled(&mut self, events: Vec<InBatch>, begun: Instant, span: &ActiveSpan) {
        Ack::ack_all(events.iter().map(|(_, member)| &member.ack));
        for member in events {
            self.answers.add(member, MemberOutcome::Called(CallOutcome::Acked), begun, span);
        }
    }

    /// Answers the events of a batch that failed as a whole, or returns them with the pause before their next attempt.
    fn whole_failed(
        &mut self,
        mut events: Vec<InBatch>,
        cause: &Cause,
        begun: Instant,
        span: &ActiveSpan,
    ) -> (Vec<InBatch>, Result<Option<Duration>, Trouble>) {
        let listening = self.listening;
        if events.len() == 1 {
            // the error of a batch with one event is that event's
            for member in events {
                self.answers.add(member, MemberOutcome::Called(CallOutcome::Ended(cause.result())), begun, span);
            }
            return (Vec::new(), Ok(None));
        }
        let attempt = events.iter().map(|(_, member)| member.incoming.meta.attempt).max().unwrap_or_default();
        let next = cause.next(listening, attempt);
        cause.report(listening, events.len(), next, span);
        match next {
            NextForBatch::FailedEach => {
                for member in events {
                    self.answers.add(member, MemberOutcome::Called(CallOutcome::Ended(cause.result())), begun, span);
                }
            }
            NextForBatch::Alone => {
                for (place, member) in events {
                    member.attempt_failed(listening, &cause.error, begun);
                    self.answers.add((place, member), MemberOutcome::Alone, begun, span);
                }
            }
            NextForBatch::Here(pause) => {
                events.iter_mut().for_each(|(_, member)| member.attempt_counts(listening, &cause.error, begun));
                return (events, Ok(Some(pause)));
            }
            NextForBatch::Elsewhere(pause) => {
                for (place, mut member) in events {
                    member.attempt_counts(listening, &cause.error, begun);
                    let later = MemberOutcome::Called(CallOutcome::Later(pause));
                    self.answers.add((place, member), later, begun, span);
                }
            }
        }
        (Vec::new(), Ok(None))
    }

    /// Answers the events that the handler reports as failed. The others are acked; if the transaction is rolled back, they are
    /// returned instead, to be handled again. Events that failed because of the store are returned too, with the store's
    /// error.
    fn some_failed(
        &mut self,
        events: Vec<InBatch>,
        failed: Vec<(usize, BoxError)>,
        begun: Instant,
        span: &ActiveSpan,
    ) -> (Vec<InBatch>, Result<Option<Duration>, Trouble>) {
        let (store, failed) = split_store(failed);
        let mut trouble = Ok(None);
        let (events, waiting) = match store {
            None => (events.into_iter().enumerate().collect(), Vec::new()),
            Some((indices, cause)) => {
                trouble = Err(cause);
                // the store failed only for the events with these indices: they are handled again
                let (waiting, events): (Vec<_>, Vec<_>) =
                    events.into_iter().enumerate().partition(|(index, _)| indices.contains(index));
                (events, waiting.into_iter().map(|(_, member)| member).collect())
            }
        };
        let (failed, others) = failed_with_each(events, failed);
        let rolled_back = self.listening.takes_transaction();
        let keys: Vec<u64> = failed.iter().filter_map(|((_, member), _)| member.key).collect();
        let first = failed.iter().map(|((place, _), _)| *place).min().unwrap_or_default();
        for (member, result) in failed {
            self.answers.add(member, MemberOutcome::Called(CallOutcome::Ended(Ok(Err(result)))), begun, span);
        }
        if !rolled_back {
            self.handled(others, begun, span);
            return (waiting, trouble);
        }
        let text = "the batch was rolled back, because other events of it failed";
        let mut again = Vec::with_capacity(others.len());
        for (place, member) in others {
            member.attempt_failed(self.listening, text, begun);
            // an event waits for a failed one before it with the same key
            if place > first && member.key.is_some_and(|key| keys.contains(&key)) {
                self.answers.add((place, member), MemberOutcome::Alone, begun, span);
            } else {
                again.push((place, member));
            }
        }
        (again, trouble)
    }

    /// Calls the handler, and returns its failure.
    async fn call(
        &self,
        members: &mut [InBatch],
        transaction: Option<Transacting>,
        span: &ActiveSpan,
    ) -> Option<(Reason, BatchFailure)> {
        let listening = self.listening;
        let batching = self.gathering.batching;
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
    async fn committed(
        &self,
        failure: Option<(Reason, BatchFailure)>,
        claim: Box<dyn BatchClaim>,
        indices: &[usize],
    ) -> Result<Option<(Reason, BatchFailure)>, Trouble> {
        let (failure, failed) = match failure {
            None => (None, Vec::new()),
            Some((reason, failure)) => {
                let failure = store_trouble(failure, !self.listening.takes_transaction())?;
                match &failure {
                    BatchFailure::Events(events)
                        if events.len() < indices.len() && !self.listening.takes_transaction() =>
                    {
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

    /// Starts the span of the attempt: that of the event, or one of the batch with links.
    fn span(&self, members: &[InBatch]) -> ActiveSpan {
        let (queue, system) = (&self.listening.queue, self.listening.bus.system());
        match &self.alone {
            Some(attempt) => attempt.span(self.listening),
            None => {
                let traces = members.iter().filter_map(|(_, member)| member.trace.as_ref());
                span::process_batch(queue, members.len(), system, traces)
            }
        }
    }
}

/// Returns the report that an attempt at an event of a batch begins.
fn start<'a>(listening: &ActiveListener, member: &'a BatchMember) -> AttemptStart<'a> {
    let meta = &member.incoming.meta;
    AttemptStart {
        event: listening.queue.event,
        group: listening.queue.group,
        handler: listening.listener.handler,
        number: meta.attempt,
        message_id: meta.message_id.as_deref(),
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
