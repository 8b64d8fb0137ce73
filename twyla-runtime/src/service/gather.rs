//! Gathers the events of a batch listener: a batch ends when it is full, or some time after its first event.
//!
//! The first event of a batch leads it: its task waits for the others, calls the handler, and answers their tasks.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::ack::Ack;
use super::call_outcome::CallOutcome;
use super::handler::{Batching, Incoming, OpenedEvent};
use crate::progress::DeliveryProgress;
use crate::telemetry::span::ActiveSpan;
use crate::telemetry::trace::TraceContext;

/// The batch that gathers now.
pub(crate) struct Gathering {
    pub(crate) batching: Batching,
    state: Mutex<GatherState>,
}

#[derive(Default)]
struct GatherState {
    /// The number of the next batch.
    next: u64,
    open: Option<OpenBatch>,
    /// Resolves when the handler may be called with the batch after the last one.
    last: Option<oneshot::Receiver<()>>,
}

struct OpenBatch {
    number: u64,
    members: Vec<BatchMember>,
    full: oneshot::Sender<Vec<BatchMember>>,
}

/// An event in a batch. Dropped without an answer, its delivery goes back to its queue.
pub(crate) struct BatchMember {
    /// The decoded event, until the handler is called with it.
    pub(crate) opened: Mutex<Option<OpenedEvent>>,
    /// Decoded again if the batch is handled again.
    pub(crate) incoming: Incoming,
    pub(crate) ack: Ack,
    pub(crate) progress: DeliveryProgress,
    /// The sender's trace context.
    pub(crate) trace: Option<TraceContext>,
    /// The hash of its key in an ordered listener.
    pub(crate) key: Option<u64>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The answer to the task of an event.
pub(crate) struct Answer {
    pub(crate) outcome: MemberOutcome,
    /// When the handler was called.
    pub(crate) begun: Instant,
    pub(crate) span: ActiveSpan,
    pub(crate) turn: Option<Turn>,
}

/// The outcome of a batch for one of its events.
pub(crate) enum MemberOutcome {
    Called(CallOutcome),
    /// The batch has another delivery of the event: this one is looked up again after it.
    Duplicate,
}

/// The place of a delivery among the batches of its listener.
#[derive(Default)]
pub(crate) struct Membership {
    /// The hash of its key in an ordered listener.
    pub(crate) key: Option<u64>,
    /// Set to the number of the batch that it joins.
    pub(crate) joined: Arc<OnceLock<u64>>,
    /// Whether it is handled alone from now on.
    pub(crate) alone: bool,
    pub(crate) turn: Option<Turn>,
}

/// The turn of an event that must be handled again: it is handled after the event before it with the same key, and before the next one.
#[derive(Default)]
pub(crate) struct Turn {
    pub(crate) before: Option<oneshot::Receiver<()>>,
    pub(crate) end: Option<TurnEnd>,
}

/// Lets the next event with the same key begin when it is dropped.
pub(crate) struct TurnEnd {
    next: DeliveryProgress,
    begin: Option<oneshot::Sender<()>>,
}

impl TurnEnd {
    /// Creates the end of a turn, and what the next event waits for.
    pub(crate) fn before(next: DeliveryProgress) -> (Self, oneshot::Receiver<()>) {
        let (begin, begins) = oneshot::channel();
        (Self { next, begin: Some(begin) }, begins)
    }
}

impl Drop for TurnEnd {
    fn drop(&mut self) {
        // first, so that observers always see one delivery in progress
        self.next.wake();
        // an error means that the next event no longer waits
        let _ = self.begin.take().map(|begin| begin.send(()));
    }
}

impl Gathering {
    pub(crate) fn new(batching: Batching) -> Self {
        Self { batching, state: Mutex::default() }
    }

    /// Returns the number of the batch that gathers, if there is one.
    pub(crate) fn open(&self) -> Option<u64> {
        self.lock().open.as_ref().map(|open| open.number)
    }

    /// Adds an event to the batch that gathers, or to a new one. Returns the batch's number, and the batch if the event leads it.
    pub(crate) fn join(&self, member: BatchMember) -> (u64, Option<LedBatch<'_>>) {
        let mut state = self.lock();
        let GatherState { next, open, last } = &mut *state;
        let mut lead = None;
        let open = open.get_or_insert_with(|| {
            let (full, gathered) = oneshot::channel();
            let (begun, begins) = oneshot::channel();
            let place = BatchPlace { previous: last.replace(begins), begun };
            lead = Some(LedBatch { gathering: self, number: *next, full: gathered, place: Some(place) });
            let number = *next;
            *next += 1;
            OpenBatch { number, members: Vec::new(), full }
        });
        let (number, progress) = (open.number, member.progress.clone());
        open.members.push(member);
        let is_full = open.members.len() >= usize::from(self.batching.size);
        if lead.is_none() && !is_full {
            // within the lock: the end of the batch wakes it
            progress.rest();
        }
        let full = state.open.take_if(|_| is_full);
        if let Some(OpenBatch { members, full, .. }) = full {
            members.iter().for_each(|member| member.progress.wake());
            drop(state);
            // an error means that the service was stopped: the events go back
            let _ = full.send(members);
        }
        (number, lead)
    }

    /// Ends the batch with this number, if it still gathers.
    fn close(&self, number: u64) -> Option<Vec<BatchMember>> {
        let mut state = self.lock();
        let OpenBatch { members, .. } = state.open.take_if(|open| open.number == number)?;
        members.iter().for_each(|member| member.progress.wake());
        Some(members)
    }

    fn lock(&self) -> MutexGuard<'_, GatherState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch that the current task leads. If it is dropped, the events go back to their queue.
pub(crate) struct LedBatch<'a> {
    gathering: &'a Gathering,
    number: u64,
    full: oneshot::Receiver<Vec<BatchMember>>,
    place: Option<BatchPlace>,
}

/// The place of a batch among those of its listener: they begin in the order in which they gathered.
pub(crate) struct BatchPlace {
    previous: Option<oneshot::Receiver<()>>,
    begun: oneshot::Sender<()>,
}

impl BatchPlace {
    /// Waits until the previous batch has begun.
    pub(crate) async fn wait(&mut self) {
        if let Some(previous) = self.previous.take() {
            // an error means that it was stopped
            let _ = previous.await;
        }
    }

    /// Lets the next batch begin.
    pub(crate) fn begun(self) {
        // an error means that there is no next batch
        let _ = self.begun.send(());
    }
}

impl LedBatch<'_> {
    /// Returns the batch's place among the others.
    pub(crate) fn place(&mut self) -> Option<BatchPlace> {
        self.place.take()
    }

    /// Waits until the batch is full, its time is over, or `end` resolves, and returns its events.
    pub(crate) async fn gathered(
        mut self,
        progress: &DeliveryProgress,
        end: impl Future<Output = ()>,
    ) -> Vec<BatchMember> {
        let within: Duration = self.gathering.batching.within;
        tokio::select! {
            biased;
            Ok(members) = &mut self.full => return members,
            () = progress.pause(within) => {}
            () = end => {}
        }
        match self.gathering.close(self.number) {
            Some(members) => members,
            None => (&mut self.full).await.unwrap_or_default(),
        }
    }
}

impl Drop for LedBatch<'_> {
    fn drop(&mut self) {
        // outside of the lock: dropped deliveries are settled
        drop(self.gathering.close(self.number));
    }
}
