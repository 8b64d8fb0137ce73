//! Deduplication: remembers the events that a group has handled, and skips them when they are delivered again.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::sleep;

use super::phase::Phase;
use super::rate::Tokens;
use crate::future::BoxFuture;

type Cause = Box<dyn StdError + Send + Sync>;

/// Remembers which events were handled, by event, group and message id; for [`Service::dedupe`](crate::Service::dedupe).
///
/// An event with no message id (the Python original sends none) or a blank one is handled on each delivery. Message ids must be
/// unique: of several events with one id, only the first is handled. Each skip is logged at debug level with its id, and
/// counted in `twyla_skipped_total`.
#[derive(Clone)]
pub struct Dedupe {
    pub(crate) store: Arc<dyn Store>,
    /// The type of the transaction that handlers can take as an argument.
    pub(crate) gives: Option<std::any::TypeId>,
    /// How long events are remembered; `None` means forever.
    pub(crate) kept: Option<Duration>,
}

impl Dedupe {
    /// Remembers the last `capacity` events that this process has handled, in about 150 bytes each. It skips events that are
    /// delivered again after a lost connection. When the process ends, it forgets all events.
    #[must_use]
    pub fn in_memory(capacity: usize) -> Self {
        Self {
            store: Arc::new(MemoryStore { capacity: capacity.max(1), seen: Mutex::default() }),
            gives: None,
            kept: None,
        }
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Dedupe {
    /// Sets how long a database remembers handled events; forever unless set. The time must be longer than an event can
    /// stay in its queue, retry queues and dead queue: an event that is delivered again after that time is handled again.
    ///
    /// Expired rows are deleted while the service runs, at least once an hour.
    #[must_use]
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.kept = Some(time);
        self
    }
}

/// Removes expired events from the store until the service stops.
pub(crate) async fn forget(store: Arc<dyn Store>, kept: Duration, mut phase: watch::Receiver<Phase>) {
    let every = (kept / 10).clamp(Duration::from_secs(1), Duration::from_secs(3600));
    while *phase.borrow() == Phase::Running {
        match store.forget(kept).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "deleted old records of handled events"),
            Err(error) => tracing::warn!(error, "could not delete old records of handled events"),
        }
        tokio::select! {
            () = sleep(every) => {}
            _ = phase.wait_for(|phase| *phase != Phase::Running) => {}
        }
    }
}

impl fmt::Debug for Dedupe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dedupe")
    }
}

/// Remembers handled events.
pub(crate) trait Store: Send + Sync {
    /// Claims an event for handling; waits while another delivery of the same event is being handled.
    fn begin<'a>(&'a self, event: Identity<'a>) -> BoxFuture<'a, Result<ClaimOutcome, Trouble>>;

    /// Begins to handle the events of a batch, in one query; waits while other deliveries of them are being handled. Their
    /// message ids are distinct.
    fn begin_batch<'a>(&'a self, batch: BatchIdentity<'a>) -> BoxFuture<'a, Result<BatchClaimOutcome, Trouble>>;

    /// Returns the maximum number of events that can be handled at once; `None` if there is no limit.
    fn connections(&self) -> Option<u32> {
        None
    }

    /// Returns whether the store has buckets of tokens, which all members of a group share.
    fn has_buckets(&self) -> bool {
        false
    }

    /// Takes tokens out of a bucket, and returns zero; or returns how long until there are enough. A store without buckets has all
    /// tokens.
    fn take<'a>(&'a self, _bucket: &'a str, _tokens: Tokens) -> BoxFuture<'a, Result<Duration, Trouble>> {
        Box::pin(std::future::ready(Ok(Duration::ZERO)))
    }

    /// Removes events that are older than `age`; returns how many were removed.
    fn forget(&self, _age: Duration) -> BoxFuture<'_, Result<u64, Cause>> {
        Box::pin(std::future::ready(Ok(0)))
    }
}

/// Identifies an event: deliveries with equal identities are the same event for one group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    /// The queue, which is named after the event and the group.
    pub(crate) queue: &'a str,
    /// The group, by which earlier versions of the store identified events.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        allow(dead_code, reason = "only the stores in databases read the group")
    )]
    pub(crate) group: &'a str,
    /// The message's id, if it has one.
    pub(crate) message_id: Option<&'a str>,
}

/// Identifies the events of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchIdentity<'a> {
    /// The queue, which is named after the event and the group.
    pub(crate) queue: &'a str,
    /// The group, by which stores of earlier versions remember events.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        allow(dead_code, reason = "only the stores in databases read the group")
    )]
    pub(crate) group: &'a str,
    /// The id of each message that has one.
    pub(crate) message_ids: &'a [Option<&'a str>],
}

/// The store's answer: whether the event is to be handled.
pub(crate) enum ClaimOutcome {
    /// The event was handled before.
    Done,
    New(Box<dyn Claim>),
}

/// An event that is being handled. If the claim is dropped, the event counts as not handled.
pub(crate) trait Claim: Send {
    /// Returns the transaction that a handler may take part in.
    fn transaction(&self) -> Option<Transacting>;

    /// Commits the transaction: its work takes effect, and the event counts as handled.
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), NotCommitted>>;
}

/// Which events of a batch the store lets be handled.
pub(crate) struct BatchClaimOutcome {
    /// Whether each event was handled before.
    pub(crate) done: Vec<bool>,
    pub(crate) claim: Box<dyn BatchClaim>,
}

/// The events of a batch that are being handled. Dropping it means that none was handled.
pub(crate) trait BatchClaim: Send {
    /// Returns the transaction that a handler may take part in.
    fn transaction(&self) -> Option<Transacting>;

    /// Commits: the events count as handled, except those with the indices `failed` in the batch.
    fn commit(self: Box<Self>, failed: Vec<usize>) -> BoxFuture<'static, Result<(), NotCommitted>>;
}

/// A failure of the store, which neither the event nor its handler causes.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) cause: Cause,
    /// Whether the store is only busy: all connections, or SQLite's only writer, are in use.
    pub(crate) busy: bool,
}

/// Why a commit failed.
#[derive(Debug)]
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    allow(dead_code, reason = "only a commit in a database can fail")
)]
pub(crate) enum NotCommitted {
    /// The store failed: the event is handled again, and the attempt doesn't count.
    Store(Trouble),
    /// The handler caused the failure: its attempt has failed.
    Handler(Cause),
}

/// The transaction that a handler can take as an argument, without its type.
#[derive(Clone)]
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    allow(dead_code, reason = "only databases have transactions")
)]
pub struct Transacting(pub(crate) Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Transacting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transacting")
    }
}

struct MemoryStore {
    capacity: usize,
    seen: Mutex<Seen>,
}

/// The queue and the message's id.
type Key = (Arc<str>, Arc<str>);

#[derive(Default)]
struct Seen {
    /// Whether each event was handled; the entry is locked while its event is being handled.
    done: HashMap<Key, Arc<tokio::sync::Mutex<bool>>>,
    /// The keys of `done`, oldest first.
    order: VecDeque<Key>,
}

impl Seen {
    fn entry(&mut self, key: Key, capacity: usize) -> Arc<tokio::sync::Mutex<bool>> {
        if let Some(entry) = self.done.get(&key) {
            return entry.clone();
        }
        while self.order.len() >= capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
        let entry = Arc::new(tokio::sync::Mutex::new(false));
        self.order.push_back(key.clone());
        self.done.insert(key, entry.clone());
        entry
    }
}

impl Store for MemoryStore {
    fn begin<'a>(&'a self, event: Identity<'a>) -> BoxFuture<'a, Result<ClaimOutcome, Trouble>> {
        Box::pin(async move {
            let Some(id) = event.message_id else { return Ok(ClaimOutcome::New(Box::new(Unheld))) };
            let key = (event.queue.into(), id.into());
            let entry = self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(key, self.capacity);
            let done = entry.lock_owned().await;
            Ok(if *done { ClaimOutcome::Done } else { ClaimOutcome::New(Box::new(MemoryClaim(done))) })
        })
    }

    fn begin_batch<'a>(&'a self, batch: BatchIdentity<'a>) -> BoxFuture<'a, Result<BatchClaimOutcome, Trouble>> {
        Box::pin(async move {
            let mut ids: Vec<(&str, usize)> =
                batch.message_ids.iter().enumerate().filter_map(|(index, id)| Some(((*id)?, index))).collect();
            // always in the same order, so that two batches never wait for each other
            ids.sort_unstable();
            let (mut done, mut begun) = (vec![false; batch.message_ids.len()], HashMap::new());
            for (id, index) in ids {
                let key = (batch.queue.into(), id.into());
                let entry = self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(key, self.capacity);
                let entry = entry.lock_owned().await;
                match *entry {
                    true => done[index] = true,
                    false => drop(begun.insert(index, entry)),
                }
            }
            Ok(BatchClaimOutcome { done, claim: Box::new(MemoryBatchClaim(begun)) })
        })
    }
}

/// The claim of an event that no store remembers.
pub(crate) struct Unheld;

impl Claim for Unheld {
    fn transaction(&self) -> Option<Transacting> {
        None
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), NotCommitted>> {
        Box::pin(async { Ok(()) })
    }
}

impl BatchClaim for Unheld {
    fn transaction(&self) -> Option<Transacting> {
        None
    }

    fn commit(self: Box<Self>, _: Vec<usize>) -> BoxFuture<'static, Result<(), NotCommitted>> {
        Box::pin(async { Ok(()) })
    }
}

/// The events of a batch by their index.
struct MemoryBatchClaim(HashMap<usize, OwnedMutexGuard<bool>>);

impl BatchClaim for MemoryBatchClaim {
    fn transaction(&self) -> Option<Transacting> {
        None
    }

    fn commit(mut self: Box<Self>, failed: Vec<usize>) -> BoxFuture<'static, Result<(), NotCommitted>> {
        failed.iter().for_each(|index| drop(self.0.remove(index)));
        self.0.values_mut().for_each(|done| **done = true);
        Box::pin(async { Ok(()) })
    }
}

struct MemoryClaim(OwnedMutexGuard<bool>);

impl Claim for MemoryClaim {
    fn transaction(&self) -> Option<Transacting> {
        None
    }

    fn commit(mut self: Box<Self>) -> BoxFuture<'static, Result<(), NotCommitted>> {
        *self.0 = true;
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity<'a>(queue: &'a str, id: &'a str) -> Identity<'a> {
        Identity { queue, group: "one", message_id: Some(id) }
    }

    async fn is_new(store: &Dedupe, queue: &str, id: &str) -> bool {
        match store.store.begin(identity(queue, id)).await.unwrap() {
            ClaimOutcome::Done => false,
            ClaimOutcome::New(claim) => {
                claim.commit().await.unwrap();
                true
            }
        }
    }

    #[tokio::test]
    async fn remembers_by_queue_what_was_handled_and_forgets_the_oldest() {
        let store = Dedupe::in_memory(2);
        assert!(is_new(&store, "g", "1").await);
        assert!(!is_new(&store, "g", "1").await);
        assert!(is_new(&store, "h", "1").await);
        assert!(is_new(&store, "g", "2").await);
        assert!(is_new(&store, "g", "1").await, "forgotten");
    }

    #[tokio::test]
    async fn a_batch_remembers_what_was_handled_and_forgets_what_failed() {
        let store = Dedupe::in_memory(9);
        assert!(is_new(&store, "g", "1").await);
        let ids = [Some("3"), None, Some("1"), Some("2")];
        let batch = || BatchIdentity { queue: "g", group: "one", message_ids: &ids };
        let first = store.store.begin_batch(batch()).await.unwrap();
        assert_eq!(first.done, [false, false, true, false]);
        first.claim.commit(vec![3]).await.unwrap();
        let second = store.store.begin_batch(batch()).await.unwrap();
        assert_eq!(second.done, [true, false, true, false]);
        drop(second);
        assert!(is_new(&store, "g", "2").await);
    }

    #[tokio::test]
    async fn what_was_not_handled_is_new_again_and_waited_for() {
        let store = Dedupe::in_memory(2);
        let ClaimOutcome::New(first) = store.store.begin(identity("g", "1")).await.unwrap() else { panic!() };
        let second = tokio::spawn({
            let store = store.clone();
            async move { is_new(&store, "g", "1").await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap());
        assert!(!is_new(&store, "g", "1").await);
    }
}
