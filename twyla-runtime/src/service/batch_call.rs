//! Calls the handler of a batch listener: with a batch, or with one event that is handled alone, and answers each event's task.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Instant;

use tokio::sync::oneshot;

use super::ack::Ack;
use super::active_listener::ActiveListener;
use super::batch_fail::BatchFailure;
use super::call::{Attempt, AttemptTimer, Called};
use super::call_outcome::CallOutcome;
use super::catch_panic::{caught, chain, guarded};
use super::dedupe::{self, BatchClaim, BatchClaimOutcome, BatchIdentity, NotCommitted, Transacting, Trouble};
use super::fail::FailAction;
use super::gather::{Answer, BatchMember, BatchPlace, Gathering, MemberOutcome, Membership, Turn, TurnEnd};
use super::handler::{BatchIncoming, Failure, failed_batch};
use super::phase::{self, Phase};
use super::slow_handlers;
use super::store_backoff::StoreBackoff;
use crate::dead_letter::letter::Reason;
use crate::progress::AttemptStart;
use crate::telemetry::metrics::ListenerMetrics;
use crate::telemetry::span::{self, ActiveSpan};

/// Handles an event in a batch, or alone if it or its batch has failed before. `None` if the service stops or the delivery is void.
pub(crate) async fn call_in_batch<'a>(
    listening: &'a ActiveListener,
    gathering: &Gathering,
    attempt: Attempt<'_>,
    membership: &mut Membership,
) -> Option<Called<'a>> {
    let delivery = attempt.delivery;
    // an event that has ended the process several times must not take the others of its batch with it
    membership.alone |= attempt.failed.is_some() || listening.is_suspect(delivery);
    loop {
        if let Some(before) = membership.turn.as_mut().and_then(|turn| turn.before.take()) {
            delivery.progress.rest();
            let mut stopping = listening.stopping.clone();
            tokio::select! {
                // an error means that the event before has ended, too
                _ = before => delivery.progress.wake(),
                () = phase::stopping(&mut stopping) => return None,
            }
        }
        let incoming = attempt.incoming(listening, &ActiveSpan::none());
        // the consumer loop polls this: a panic must not end it
        let opened = match caught(|| (gathering.batching.open)(incoming.clone())) {
            Ok(Ok(opened)) => opened,
            refused => {
                let span = attempt.span(listening);
                let clock = AttemptTimer::start(&listening.metrics);
                delivery.progress.attempt_begins(attempt.start(listening));
                return Some(Called { outcome: CallOutcome::Ended(refused.map(|it| it.map(drop))), clock, span });
            }
        };
        let (answer, answered) = oneshot::channel();
        let member = BatchMember {
            opened: Mutex::new(Some(opened)),
            incoming,
            ack: delivery.ack.clone(),
            progress: delivery.progress.clone(),
            trace: delivery.trace.clone(),
            key: membership.key,
            answer,
        };
        if membership.alone {
            run(listening, gathering, vec![member], RunKind::Alone(attempt)).await;
        } else {
            let (batch, leads) = gathering.join(member);
            // it can't be set already: an event joins one batch, and is alone after it
            let _ = membership.joined.set(batch);
            if let Some(mut lead) = leads {
                let place = lead.place();
                let mut stopping = listening.stopping.clone();
                let end = async {
                    tokio::select! {
                        () = phase::stopping(&mut stopping) => {}
                        // the broker delivers the events again, and they wait for the end of this batch
                        () = delivery.ack.voided() => {}
                    }
                };
                let members = lead.gathered(&delivery.progress, end).await;
                run(listening, gathering, members, RunKind::Batch(place)).await;
            }
        }
        let Answer { outcome, begun, span, turn } = answered.await.ok()?;
        membership.alone = true;
        membership.turn = membership.turn.take().or(turn);
        if let MemberOutcome::Called(outcome) = outcome {
            return Some(Called { outcome, clock: AttemptTimer::since(&listening.metrics, begun), span });
        }
    }
}

/// What the handler is called with.
enum RunKind<'a> {
    /// A batch, after the batches before it.
    Batch(Option<BatchPlace>),
    /// An event that is handled alone. It goes back to its queue if the service stops first.
    Alone(Attempt<'a>),
}

/// Calls the handler with a batch once a permit is free, and answers its events.
async fn run(listening: &ActiveListener, gathering: &Gathering, members: Vec<BatchMember>, kind: RunKind<'_>) {
    // the consumer loop polls an event's task once: it must not run the handler
    in_next_poll().await;
    let Some(progress) = members.first().map(|member| member.progress.clone()) else { return };
    let (alone, mut place) = match kind {
        RunKind::Batch(place) => (None, place),
        RunKind::Alone(attempt) => (Some(attempt), None),
    };
    if let Some(place) = &mut place {
        place.wait().await;
    }
    let permit = match &listening.places {
        Some(places) => progress.acquire(places).await,
        None => None,
    };
    if let Some(place) = place {
        place.begun();
    }
    let answers = if alone.is_some() && *listening.stopping.borrow() != Phase::Running {
        Vec::new()
    } else {
        handle(listening, gathering, members, alone).await
    };
    progress.release(permit, listening.places.as_ref());
    for (member, answer) in answers {
        // an error means that the event's task was stopped
        let _ = member.answer.send(answer);
    }
}

/// Resolves when it is polled again, which happens after the tasks that are ready now.
async fn in_next_poll() {
    let mut polled = false;
    poll_fn(|context| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// Calls the handler with a batch until the store works. Returns the events with their answers; those without an answer go back to
/// their queue.
async fn handle(
    listening: &ActiveListener,
    gathering: &Gathering,
    members: Vec<BatchMember>,
    alone: Option<Attempt<'_>>,
) -> Vec<(BatchMember, Answer)> {
    let mut batch = BatchRun { listening, gathering, alone, answers: Vec::new() };
    let mut patience = StoreBackoff::default();
    let mut members: Vec<_> = members.into_iter().enumerate().collect();
    if listening.dedupe.is_some() {
        members = batch.without_duplicates(members);
    }
    loop {
        // the broker delivers them again
        members.retain(|(_, member)| !member.ack.is_void());
        if members.is_empty() {
            break;
        }
        let trouble = match batch.claim(&members).await {
            None => return Vec::new(),
            Some(Err(trouble)) => trouble,
            Some(Ok(claimed)) => match batch.attempt(&mut members, claimed).await {
                Ok(()) => break,
                Err(trouble) => trouble,
            },
        };
        if !pause(listening, &mut patience, &members, trouble).await {
            return Vec::new();
        }
    }
    batch.finish()
}

/// Waits for the store; the other events of the batch rest meanwhile. Returns `false` if the service stops.
async fn pause(
    listening: &ActiveListener,
    patience: &mut StoreBackoff,
    members: &[(usize, BatchMember)],
    trouble: Trouble,
) -> bool {
    let Some(((_, first), others)) = members.split_first() else { return true };
    others.iter().for_each(|(_, member)| member.progress.rest());
    let goes_on = patience.pause(listening, &first.progress, trouble).await;
    members.iter().for_each(|(_, member)| member.progress.wake());
    goes_on
}

/// A batch that is handled, with the answers so far.
struct BatchRun<'a> {
    listening: &'a ActiveListener,
    gathering: &'a Gathering,
    /// The attempt at an event that is handled alone.
    alone: Option<Attempt<'a>>,
    /// The place of each answered event in the batch.
    answers: Vec<(usize, BatchMember, Answer)>,
}

impl BatchRun<'_> {
    fn answer(
        &mut self,
        (place, member): (usize, BatchMember),
        outcome: MemberOutcome,
        begun: Instant,
        span: &ActiveSpan,
    ) {
        let span = span.clone();
        self.answers.push((place, member, Answer { outcome, begun, span, turn: None }));
    }

    /// Returns the events without those whose message id another event of the batch has: after the batch, the store knows them.
    fn without_duplicates(&mut self, members: Vec<(usize, BatchMember)>) -> Vec<(usize, BatchMember)> {
        let mut ids = HashSet::new();
        let mut distinct = Vec::with_capacity(members.len());
        for (place, member) in members {
            let is_new = member.incoming.meta.message_id.as_ref().is_none_or(|id| ids.insert(id.clone()));
            match is_new {
                true => distinct.push((place, member)),
                false => {
                    self.answer((place, member), MemberOutcome::Duplicate, Instant::now(), &ActiveSpan::none());
                }
            }
        }
        distinct
    }

    /// Asks the store which events were handled before. `None` if the service stops.
    async fn claim(&self, members: &[(usize, BatchMember)]) -> Option<Result<BatchClaimOutcome, Trouble>> {
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

    /// Calls the handler with the events that weren't handled before, and answers all. If the store fails, the events stay in
    /// `members`.
    async fn attempt(
        &mut self,
        members: &mut Vec<(usize, BatchMember)>,
        claimed: BatchClaimOutcome,
    ) -> Result<(), Trouble> {
        let listening = self.listening;
        let BatchClaimOutcome { done, claim } = claimed;
        // the events to handle, with their index in the claim
        let mut claimed = Vec::with_capacity(members.len());
        for (index, ((place, member), done)) in members.drain(..).zip(done).enumerate() {
            member.progress.attempt_begins(start(listening, &member));
            if done {
                let skipped = MemberOutcome::Called(CallOutcome::Skipped);
                self.answer((place, member), skipped, Instant::now(), &ActiveSpan::none());
            } else {
                claimed.push((index, (place, member)));
            }
        }
        let (indices, events): (Vec<usize>, Vec<_>) = claimed.into_iter().unzip();
        *members = events;
        if members.is_empty() {
            listening.store.works();
            return Ok(());
        }
        let (span, begun) = (self.span(members), Instant::now());
        let failure = self.call(members, claim.transaction(), &span).await;
        let failure = self.committed(failure, claim, &indices).await?;
        // the lookup, the commit and the outbox have worked
        listening.store.works();
        match failure {
            None => {
                Ack::ack_all(members.iter().map(|(_, member)| &member.ack));
                for member in members.drain(..) {
                    self.answer(member, MemberOutcome::Called(CallOutcome::Acked), begun, &span);
                }
            }
            Some((reason, BatchFailure::Whole(error))) => self.whole_failed(members, reason, error, begun, &span),
            Some((_, BatchFailure::Events(failed))) => {
                let mut failed = failed.into_iter().peekable();
                let outcomes: Vec<_> = (0..members.len())
                    .map(|index| match failed.next_if(|(at, _)| *at == index) {
                        Some((_, error)) => CallOutcome::Ended(Ok(Err(Failure::Handler(error)))),
                        None => CallOutcome::Acked,
                    })
                    .collect();
                let handled =
                    members.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, CallOutcome::Acked));
                Ack::ack_all(handled.map(|((_, member), _)| &member.ack));
                for (member, outcome) in members.drain(..).zip(outcomes) {
                    self.answer(member, MemberOutcome::Called(outcome), begun, &span);
                }
            }
        }
        Ok(())
    }

    /// Answers the events of a batch that failed as a whole. The error of a batch with one event is that event's.
    fn whole_failed(
        &mut self,
        members: &mut Vec<(usize, BatchMember)>,
        reason: Reason,
        error: Box<dyn std::error::Error + Send + Sync>,
        begun: Instant,
        span: &ActiveSpan,
    ) {
        let listening = self.listening;
        if members.len() == 1 {
            let outcome = match reason {
                Reason::Panic => Err(error.to_string()),
                _ => Ok(Err(Failure::Handler(error))),
            };
            if let Some(member) = members.pop() {
                self.answer(member, MemberOutcome::Called(CallOutcome::Ended(outcome)), begun, span);
            }
            return;
        }
        let (what, error) = (FailAction::of(&*error), chain(&*error));
        span.failed(reason.as_str(), Some(&error));
        let (event, group, events) = (listening.queue.event, listening.queue.group, members.len());
        span.within(|| {
            tracing::warn!(event, group, events, error, "the batch failed: each of its events is handled again, alone")
        });
        for member in members.drain(..) {
            let outcome = CallOutcome::BatchFailed { error: error.clone(), what };
            self.answer(member, MemberOutcome::Called(outcome), begun, span);
        }
    }

    /// Calls the handler, and returns its failure.
    async fn call(
        &self,
        members: &mut [(usize, BatchMember)],
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
            |time| slow_handlers::warn(listening, time, "a handler has blocked its thread, and nothing else ran on it");
        match listening.runs.watched(handler, kept).await {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some((Reason::Handler, failure)),
            Err(panic) => Some((Reason::Panic, BatchFailure::Whole(panic.into()))),
        }
    }

    /// Commits what the handler has done, and returns the batch's failure.
    async fn committed(
        &self,
        failure: Option<(Reason, BatchFailure)>,
        claim: Box<dyn BatchClaim>,
        indices: &[usize],
    ) -> Result<Option<(Reason, BatchFailure)>, Trouble> {
        let failed = match &failure {
            None => Vec::new(),
            Some((_, BatchFailure::Whole(error))) => match FailAction::of(&**error) {
                FailAction::Store => return Err(trouble(failure)),
                _ => return Ok(failure),
            },
            Some((_, BatchFailure::Events(events))) => {
                if events.iter().any(|(_, error)| FailAction::of(&**error) == FailAction::Store) {
                    return Err(trouble(failure));
                }
                if events.len() == indices.len() {
                    // nothing was handled: the transaction is rolled back
                    return Ok(failure);
                }
                events.iter().filter_map(|(index, _)| indices.get(*index).copied()).collect()
            }
        };
        match claim.commit(failed).await {
            Ok(()) => Ok(failure),
            Err(NotCommitted::Handler(error)) => Ok(Some((Reason::Handler, BatchFailure::Whole(error)))),
            Err(NotCommitted::Store(trouble)) => Err(trouble),
        }
    }

    /// Starts the span of the attempt: that of the event, or one of the batch with links.
    fn span(&self, members: &[(usize, BatchMember)]) -> ActiveSpan {
        let (queue, system) = (&self.listening.queue, self.listening.bus.system());
        match &self.alone {
            Some(attempt) => attempt.span(self.listening),
            None => {
                let traces = members.iter().filter_map(|(_, member)| member.trace.as_ref());
                span::process_batch(queue, members.len(), system, traces)
            }
        }
    }

    /// Returns the answers. Events with the same key that are handled again take turns.
    fn finish(self) -> Vec<(BatchMember, Answer)> {
        let mut answers = self.answers;
        answers.sort_by_key(|(place, ..)| *place);
        let mut last = HashMap::<u64, usize>::new();
        for at in 0..answers.len() {
            let Some((_, BatchMember { key: Some(key), progress, .. }, answer)) = answers.get(at) else { continue };
            if matches!(answer.outcome, MemberOutcome::Called(CallOutcome::Acked | CallOutcome::Skipped)) {
                continue;
            }
            let progress = progress.clone();
            let previous = last.insert(*key, at).and_then(|previous| answers.get_mut(previous));
            let before = previous.map(|(_, _, previous)| {
                let (end, before) = TurnEnd::before(progress);
                previous.turn.get_or_insert_default().end = Some(end);
                before
            });
            if let Some((_, _, answer)) = answers.get_mut(at) {
                answer.turn = Some(Turn { before, end: None });
            }
        }
        answers.into_iter().map(|(_, member, answer)| (member, answer)).collect()
    }
}

/// Returns the failure of the store, such as the outbox, that made the handler fail.
fn trouble(failure: Option<(Reason, BatchFailure)>) -> Trouble {
    let cause = match failure {
        Some((_, BatchFailure::Whole(error))) => Some(error),
        Some((_, BatchFailure::Events(events))) => {
            events.into_iter().map(|(_, error)| error).find(|error| FailAction::of(&**error) == FailAction::Store)
        }
        None => None,
    };
    Trouble { cause: cause.unwrap_or_else(|| "the store failed".into()), busy: false }
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
