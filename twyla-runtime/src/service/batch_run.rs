//! Calls the handler with a batch until its events are handled, must be handled alone, or must wait elsewhere.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep_until;

use super::ack::Ack;
use super::active_listener::ActiveListener;
use super::admission::{Admission, Applicant, admit, judged_batch};
use super::batch_answers::{Answers, InBatch};
use super::batch_attempt::{call_handler, claim, committed};
use super::batch_fail::BatchFailure;
use super::batch_failure::{BoxError, Cause, NextForBatch, failed_with_each, split_store};
use super::call_outcome::CallOutcome;
use super::dedupe::{BatchClaimOutcome, Trouble};
use super::gather::{Answer, BatchMember, Gathering, MemberOutcome};
use super::limits::Pass;
use super::phase::{self, Phase};
use super::store_backoff::StoreBackoff;
use crate::progress::DeliveryProgress;
use crate::telemetry::span::{self, ActiveSpan};

/// Handles a batch, or an event `alone`, with the permit; `progress` is the progress of the delivery whose task calls this. Returns the
/// permit, and the events with their answers; events without an answer go back to their queue.
pub(crate) async fn handle(
    listening: &ActiveListener,
    gathering: &Gathering,
    members: Vec<BatchMember>,
    progress: &DeliveryProgress,
    permit: Option<OwnedSemaphorePermit>,
    alone: bool,
) -> (Option<OwnedSemaphorePermit>, Vec<(BatchMember, Answer)>) {
    let mut batch = BatchRun {
        listening,
        gathering,
        progress,
        permit,
        alone,
        split: VecDeque::new(),
        answers: Answers::default(),
        pass: None,
        due: Instant::now(),
    };
    let mut patience = StoreBackoff::default();
    let mut members: Vec<InBatch> = members.into_iter().enumerate().collect();
    if listening.dedupe.is_some() {
        members = batch.answers.without_duplicates(members);
    }
    loop {
        members = batch.without_void(members);
        let Some((_, first)) = members.first() else {
            match batch.next_alone() {
                Some(next) => members.push(next),
                None => break,
            }
            continue;
        };
        if batch.pass.is_none() {
            let (first, arrived) = (first.ack.clone(), first.arrived);
            match admit(listening, Applicant { progress, ack: &first, arrived, events: members.len() }).await {
                Admission::Admitted(pass) => batch.pass = Some(pass),
                Admission::Later(pause) => {
                    batch.answers.later(std::mem::take(&mut members), pause);
                    continue;
                }
                Admission::Ended if first.is_void() => continue,
                Admission::Ended => break,
            }
        }
        let trouble = match claim(listening, &members).await {
            None => break,
            Some(Err(trouble)) => trouble,
            // a pause has begun while the batch waited for a connection
            Some(Ok(_)) if batch.pass.as_ref().is_some_and(Pass::is_stale) => {
                batch.pass = None;
                continue;
            }
            Some(Ok(claimed)) => {
                let (again, next) = batch.attempt(members, claimed).await;
                members = again;
                match next {
                    Ok(pause) => {
                        patience.works(listening);
                        if let Some(pause) = pause {
                            let Some(again) = batch.pause(members, pause).await else { break };
                            members = again;
                        }
                        continue;
                    }
                    Err(trouble) => trouble,
                }
            }
        };
        if !patience.pause(listening, progress, trouble).await {
            break;
        }
    }
    (batch.permit, batch.answers.finish())
}

/// A batch that is handled, with the answers so far.
struct BatchRun<'a> {
    listening: &'a ActiveListener,
    gathering: &'a Gathering,
    progress: &'a DeliveryProgress,
    permit: Option<OwnedSemaphorePermit>,
    /// Whether each event is handled alone now.
    alone: bool,
    /// The events of a failed batch that are handled alone next.
    split: VecDeque<InBatch>,
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

    /// Returns the next event of a failed batch, unless the service stops. Those behind a failed one with the same key are answered
    /// instead: they wait for it.
    fn next_alone(&mut self) -> Option<InBatch> {
        self.alone = true;
        if *self.listening.stopping.borrow() != Phase::Running {
            return None;
        }
        loop {
            let next = self.split.pop_front()?;
            if !self.answers.is_again(next.1.key) {
                return Some(next);
            }
            self.answers.add(next, MemberOutcome::Alone, Instant::now(), &ActiveSpan::none());
        }
    }

    /// Waits until the next attempt at the events is due, without the permit: others are handled meanwhile. Returns those that the broker
    /// hasn't taken back. `None` if the service stops.
    async fn pause(&mut self, mut members: Vec<InBatch>, pause: Duration) -> Option<Vec<InBatch>> {
        let (listening, progress) = (self.listening, self.progress);
        self.due = Instant::now() + pause;
        progress.release(self.permit.take(), listening.places.as_ref());
        let arrived = members.first()?.1.arrived;
        let (mut over, mut stops) = (pin!(progress.pause(pause)), pin!(stopping_or_renewed(listening, arrived)));
        while let Some((_, first)) = members.first() {
            let first = first.ack.clone();
            tokio::select! {
                () = &mut over => break,
                () = first.voided() => members = self.without_void(members),
                () = &mut stops => return None,
            }
        }
        self.permit = listening.permit(progress).await;
        Some(members)
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
            let meta = &member.1.incoming.meta;
            member.1.progress.attempt_begins(listening.attempt_start(meta.attempt, meta.message_id.as_deref()));
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
        // each call of the handler has a pass of its own
        let mut pass = self.pass.take().unwrap_or_else(Pass::free);
        let called = call_handler(listening, self.gathering.batching, &mut events, claim.transaction(), &span);
        let failure = pass.watched(called, listening.consumer_timeout / 2).await;
        let failure = match committed(listening, failure, claim, &indices).await {
            Ok(failure) => failure,
            Err(trouble) => return (events, Err(trouble)),
        };
        pass.ends(|| judged_batch(failure.as_ref()));
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
        // in order, they keep together
        let is_last = |(_, member): &InBatch| {
            !listening.is_ordered() && listening.retry.pause(member.incoming.meta.attempt).is_none()
        };
        let attempts = events.iter().filter(|event| !is_last(event)).map(|(_, member)| member.incoming.meta.attempt);
        // if each had its last attempt, there is no pause
        let next = cause.next(listening, attempts.max().unwrap_or(u32::MAX));
        if matches!(next, NextForBatch::Here(_) | NextForBatch::Elsewhere(_)) {
            let last;
            (last, events) = events.into_iter().partition(is_last);
            self.split(last, cause, begun, span);
        }
        if next != NextForBatch::Alone {
            cause.report(listening, events.len(), next, span);
        }
        match next {
            NextForBatch::FailedEach => {
                for member in events {
                    self.answers.add(member, MemberOutcome::Called(CallOutcome::Ended(cause.result())), begun, span);
                }
            }
            NextForBatch::Alone => self.split(events, cause, begun, span),
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

    /// Lets each of these events be handled alone: their attempt in the batch failed, and isn't counted.
    fn split(&mut self, events: Vec<InBatch>, cause: &Cause, begun: Instant, span: &ActiveSpan) {
        if !events.is_empty() {
            cause.report(self.listening, events.len(), NextForBatch::Alone, span);
        }
        for (_, member) in &events {
            member.attempt_failed(self.listening, &cause.error, begun);
        }
        self.split.extend(events);
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

    /// Starts the span of the attempt: that of the event, or one of the batch with links.
    fn span(&self, members: &[InBatch]) -> ActiveSpan {
        let (queue, system) = (&self.listening.queue, self.listening.bus.system());
        if let [(_, member)] = members
            && self.alone
        {
            return span::process(queue, member.traced(), system);
        }
        let traces = members.iter().filter_map(|(_, member)| member.trace.as_ref());
        span::process_batch(queue, members.len(), system, traces)
    }
}

/// Resolves when the service stops. In an ordered listener, all unsettled deliveries are returned to the broker after half of its
/// `consumer_timeout`, and delivered again in the same order.
async fn stopping_or_renewed(listening: &ActiveListener, arrived: tokio::time::Instant) {
    let mut stopping = listening.stopping.clone();
    if listening.is_ordered() {
        tokio::select! {
            () = phase::stopping(&mut stopping) => return,
            () = sleep_until(arrived + listening.consumer_timeout / 2) => listening.renew.notify_one(),
        }
    }
    phase::stopping(&mut stopping).await;
}
