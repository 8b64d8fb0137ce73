//! The answers to the events of a batch, and the order of the events that are handled again.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::active_listener::ActiveListener;
use super::call::AttemptTimer;
use super::call_outcome::CallOutcome;
use super::gather::{Answer, BatchMember, MemberOutcome};
use super::start::{Signal, Turn};
use super::verdict::FailedAttempts;
use crate::progress::AttemptEnd;
use crate::telemetry::metrics::AttemptOutcome;
use crate::telemetry::span::ActiveSpan;

/// An event and its place in the batch as it gathered.
pub(crate) type InBatch = (usize, BatchMember);

/// The answered events of a batch.
#[derive(Default)]
pub(crate) struct Answers {
    all: Vec<(usize, BatchMember, Answer)>,
    /// The keys of those that are handled again.
    keys: HashSet<u64>,
}

impl Answers {
    pub(crate) fn add(&mut self, (place, member): InBatch, outcome: MemberOutcome, begun: Instant, span: &ActiveSpan) {
        let (span, failed) = (span.clone(), member.failed.clone());
        let answer = Answer { outcome, begun, span, failed, turn: None };
        self.keys.extend(member.key.filter(|_| answer.is_handled_again()));
        self.all.push((place, member, answer));
    }

    /// Returns whether an event with this key is handled again.
    pub(crate) fn is_again(&self, key: Option<u64>) -> bool {
        key.is_some_and(|key| self.keys.contains(&key))
    }

    /// Answers events that are handled again after a pause in a retry queue.
    pub(crate) fn later(&mut self, members: Vec<InBatch>, pause: Duration) {
        for member in members {
            let later = MemberOutcome::Called(CallOutcome::Later(pause));
            self.add(member, later, Instant::now(), &ActiveSpan::none());
        }
    }

    /// Returns the events without those whose message id another event of the batch has: after the batch, the store knows them.
    pub(crate) fn without_duplicates(&mut self, members: Vec<InBatch>) -> Vec<InBatch> {
        let mut ids = HashSet::new();
        let mut distinct = Vec::with_capacity(members.len());
        for (place, member) in members {
            let is_new = member.incoming.meta.message_id.as_ref().is_none_or(|id| ids.insert(id.clone()));
            match is_new {
                true => distinct.push((place, member)),
                false => self.add((place, member), MemberOutcome::Alone, Instant::now(), &ActiveSpan::none()),
            }
        }
        distinct
    }

    /// Returns the answers. Events with the same key that are handled again take turns, in their order in the batch.
    pub(crate) fn finish(mut self) -> Vec<(BatchMember, Answer)> {
        self.all.sort_by_key(|(place, ..)| *place);
        let mut last = HashMap::<u64, usize>::new();
        for at in 0..self.all.len() {
            let Some((_, BatchMember { key: Some(key), .. }, answer)) = self.all.get_mut(at) else { continue };
            if !answer.is_handled_again() {
                continue;
            }
            let key = *key;
            let previous = last.insert(key, at).and_then(|previous| self.all.get_mut(previous));
            let before = previous.map(|(_, _, previous)| {
                let (end, before) = Signal::new();
                previous.turn.get_or_insert_default().end = Some(end);
                before
            });
            if let Some((_, _, answer)) = self.all.get_mut(at) {
                answer.turn = Some(Turn { before, end: None });
            }
        }
        self.all.into_iter().map(|(_, member, answer)| (member, answer)).collect()
    }
}

impl Answer {
    /// Returns whether the event is still to be handled, or to be moved to another queue.
    fn is_handled_again(&self) -> bool {
        !matches!(self.outcome, MemberOutcome::Called(CallOutcome::Acked | CallOutcome::Skipped))
    }
}

impl BatchMember {
    /// Reports that the attempt failed, although the event is handled again at once: it isn't counted.
    pub(crate) fn attempt_failed(&self, listening: &ActiveListener, error: &str, begun: Instant) {
        AttemptTimer::since(&listening.metrics, begun).stop(AttemptOutcome::Failed);
        self.progress.attempt_ends(AttemptEnd::Failed(error));
        listening.metrics.retried();
    }

    /// Reports that the attempt failed, and counts it.
    pub(crate) fn attempt_counts(&mut self, listening: &ActiveListener, error: &str, begun: Instant) {
        self.attempt_failed(listening, error, begun);
        let meta = &mut self.incoming.meta;
        let failed = FailedAttempts::after(self.failed.take(), meta.attempt, error);
        meta.attempt = failed.attempts.saturating_add(1);
        meta.first_failure = Some(failed.first.clone());
        self.failed = Some(FailedAttempts { in_batch: true, ..failed });
    }
}
