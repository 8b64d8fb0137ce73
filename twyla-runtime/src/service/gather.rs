//! Gathers the events of a batch listener: a batch ends when it is full, or some time after its first event.
//!
//! The first event of a batch leads it: its task waits for the others, calls the handler, and answers their tasks. Only the leader
//! counts as in progress; the others rest until they are answered.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{Semaphore, oneshot};

use super::ack::Ack;
use super::call_outcome::CallOutcome;
use super::handler::{Batching, Incoming, OpenedEvent};
use super::start::{Start, Starts, Turn, Wait};
use super::verdict::FailedAttempts;
use crate::contract::session::Session;
use crate::progress::DeliveryProgress;
use crate::telemetry::span::{ActiveSpan, TracedEvent};
use crate::telemetry::trace::TraceContext;

/// The batch that gathers now.
pub(crate) struct Gathering {
    pub(crate) batching: Batching,
    /// The permit of events that may end the process: they are handled one after another, in the order of arrival.
    pub(crate) suspects: Arc<Semaphore>,
    /// Whether such an event was dead-lettered since the service began.
    pub(crate) has_refused: AtomicBool,
    state: Mutex<GatherState>,
}

#[derive(Default)]
struct GatherState {
    /// The number of the next batch.
    next: u64,
    open: Option<OpenBatch>,
    starts: Starts,
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
    /// The event as received, which is decoded again if the batch is handled again.
    pub(crate) incoming: Incoming,
    pub(crate) failed: Option<FailedAttempts>,
    pub(crate) ack: Ack,
    pub(crate) arrived: tokio::time::Instant,
    pub(crate) progress: DeliveryProgress,
    /// The sender's trace context.
    pub(crate) trace: Option<TraceContext>,
    pub(crate) session: Session,
    /// The size of the message, in bytes.
    pub(crate) size: usize,
    pub(crate) redeliveries: u32,
    /// The hash of the event's key in an ordered listener.
    pub(crate) key: Option<u64>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

impl BatchMember {
    /// Returns what the span of an attempt at this event shows.
    pub(crate) fn traced(&self) -> TracedEvent<'_> {
        TracedEvent {
            message_id: self.incoming.meta.message_id.as_deref(),
            size: self.size,
            redeliveries: self.redeliveries,
            attempt: self.incoming.meta.attempt,
            session: &self.session,
            parent: self.trace.as_ref(),
        }
    }
}

/// The answer to the task of an event.
pub(crate) struct Answer {
    pub(crate) outcome: MemberOutcome,
    /// When the handler was called.
    pub(crate) begun: Instant,
    pub(crate) span: ActiveSpan,
    /// The failed attempts so far.
    pub(crate) failed: Option<FailedAttempts>,
    pub(crate) turn: Option<Turn>,
}

/// The outcome of a batch for one of its events.
pub(crate) enum MemberOutcome {
    Called(CallOutcome),
    /// The event is handled alone, by its own task: it waits for a failed one with the same key, or its batch has another delivery of
    /// the event.
    Alone,
}

/// The place of a delivery among the batches of its listener.
#[derive(Default)]
pub(crate) struct Membership {
    /// The hash of the event's key in an ordered listener.
    pub(crate) key: Option<u64>,
    /// The batch that other events with its key have joined.
    pub(crate) follows: Option<Follows>,
    /// Set to the number of the batch that the delivery joins.
    pub(crate) joined: Arc<OnceLock<u64>>,
    /// Whether the delivery is handled alone from now on.
    pub(crate) alone: bool,
    pub(crate) turn: Option<Turn>,
}

/// The earlier events with the same key, all of which are in one batch.
pub(crate) struct Follows {
    pub(crate) batch: u64,
    /// Resolves when these events have ended.
    pub(crate) ended: Wait,
}

/// The result of [`Gathering::join`].
pub(crate) enum Joined<'a> {
    Member(u64),
    /// The event is the first of its batch.
    Leader(LedBatch<'a>),
    /// The batch no longer gathers.
    Closed(Box<BatchMember>),
}

impl Gathering {
    pub(crate) fn new(batching: Batching) -> Self {
        let suspects = Arc::new(Semaphore::new(1));
        Self { batching, suspects, has_refused: AtomicBool::new(false), state: Mutex::default() }
    }

    /// Returns the number of the batch that gathers, if there is one.
    pub(crate) fn open(&self) -> Option<u64> {
        self.lock().open.as_ref().map(|open| open.number)
    }

    /// Adds an event to the batch that gathers, or to a new one. An event that must join the batch `only` joins no other.
    pub(crate) fn join(&self, member: BatchMember, only: Option<u64>) -> Joined<'_> {
        let mut state = self.lock();
        let GatherState { next, open, starts } = &mut *state;
        if only.is_some() && open.as_ref().map(|open| open.number) != only {
            drop(state);
            return Joined::Closed(Box::new(member));
        }
        let mut lead = None;
        let open = open.get_or_insert_with(|| {
            let (full, gathered) = oneshot::channel();
            let number = *next;
            lead =
                Some(LedBatch { gathering: self, number, full: gathered, members: None, start: Some(starts.next()) });
            *next += 1;
            OpenBatch { number, members: Vec::new(), full }
        });
        let (number, progress) = (open.number, member.progress.clone());
        open.members.push(member);
        let is_full = open.members.len() >= usize::from(self.batching.size);
        if lead.is_none() && !is_full {
            // the event that fills the batch stays in progress until the leader knows
            progress.rest();
        }
        let full = state.open.take_if(|_| is_full);
        drop(state);
        if let Some(OpenBatch { members, full, .. }) = full {
            // an error means that the service was stopped: the events go back
            let _ = full.send(members);
        }
        lead.map_or(Joined::Member(number), Joined::Leader)
    }

    /// Ends the batch with this number, if it still gathers.
    fn close(&self, number: u64) -> Option<Vec<BatchMember>> {
        self.lock().open.take_if(|open| open.number == number).map(|open| open.members)
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
    /// The events of the batch, once it is full.
    members: Option<Vec<BatchMember>>,
    /// Batches begin in the order in which they gathered.
    start: Option<Start>,
}

impl LedBatch<'_> {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Returns the start of the batch among the others.
    pub(crate) fn start(&mut self) -> Option<Start> {
        self.start.take()
    }

    /// Resolves when the batch is full; never resolves again after that.
    pub(crate) async fn full(&mut self) {
        if self.members.is_none()
            && let Ok(members) = (&mut self.full).await
        {
            self.filled(members);
        } else {
            std::future::pending::<()>().await;
        }
    }

    /// Returns whether the batch is full.
    pub(crate) fn is_full(&mut self) -> bool {
        if self.members.is_none()
            && let Ok(members) = self.full.try_recv()
        {
            self.filled(members);
        }
        self.members.is_some()
    }

    fn filled(&mut self, members: Vec<BatchMember>) {
        members.iter().skip(1).for_each(|member| member.progress.rest());
        self.members = Some(members);
    }

    /// Ends the batch and returns its events.
    pub(crate) async fn close(mut self) -> Vec<BatchMember> {
        if self.members.is_none() {
            match self.gathering.close(self.number) {
                Some(members) => return members,
                // the batch has just become full
                None => self.full().await,
            }
        }
        self.members.take().unwrap_or_default()
    }
}

impl Drop for LedBatch<'_> {
    fn drop(&mut self) {
        // outside of the lock: dropped deliveries are settled
        drop(self.gathering.close(self.number));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::{Bus, Meta};

    fn member() -> BatchMember {
        let meta = Meta {
            event: "a.b",
            version: 1,
            timestamp: chrono::Utc::now(),
            session_id: uuid::Uuid::nil(),
            message_id: None,
            redelivered: false,
            trace: None,
            attempt: 1,
            first_failure: None,
        };
        let incoming = Incoming {
            content: Bytes::new(),
            context: Bytes::new(),
            meta,
            bus: Bus::in_memory(),
            states: Arc::default(),
            ack: Ack::detached(),
            transaction: None,
        };
        BatchMember {
            opened: Mutex::new(None),
            failed: None,
            ack: incoming.ack.clone(),
            incoming,
            arrived: tokio::time::Instant::now(),
            progress: DeliveryProgress::default(),
            trace: None,
            session: Session::new(),
            size: 0,
            redeliveries: 0,
            key: Some(1),
            answer: oneshot::channel().0,
        }
    }

    fn gathering(size: u16) -> Gathering {
        let batching = Batching {
            size,
            within: Duration::ZERO,
            open: |incoming| Ok(Box::new(incoming)),
            handle: |_| Box::pin(std::future::ready(Ok(()))),
        };
        Gathering::new(batching)
    }

    #[tokio::test]
    async fn an_event_joins_no_other_batch_than_that_of_the_events_before_it() {
        let gathering = gathering(10);
        let Joined::Leader(lead) = gathering.join(member(), None) else { panic!("the first event leads") };
        let number = lead.number();
        assert!(matches!(gathering.join(member(), Some(number)), Joined::Member(_)));
        assert_eq!(lead.close().await.len(), 2);
        assert!(matches!(gathering.join(member(), Some(number)), Joined::Closed(_)), "its batch has ended");
        let Joined::Leader(next) = gathering.join(member(), None) else { panic!("a new batch") };
        assert!(matches!(gathering.join(member(), Some(number)), Joined::Closed(_)), "another one gathers");
        assert_eq!(next.close().await.len(), 1);
    }

    #[tokio::test]
    async fn a_full_batch_ends_and_the_next_event_leads_another() {
        let gathering = gathering(2);
        let Joined::Leader(mut lead) = gathering.join(member(), None) else { panic!("the first event leads") };
        assert!(!lead.is_full());
        assert!(matches!(gathering.join(member(), None), Joined::Member(0)));
        assert!(lead.is_full() && gathering.open().is_none());
        assert!(matches!(gathering.join(member(), None), Joined::Leader(_)));
        assert_eq!(lead.close().await.len(), 2);
        assert!(gathering.open().is_none(), "a leader that is dropped ends its batch");
    }
}
