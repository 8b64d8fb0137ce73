//! Remembers the outcomes of deliveries that the broker has taken back during their handling.
//!
//! A delivery is void once its channel is gone: the connection was lost, or the broker's `consumer_timeout` has passed. The
//! broker delivers the message again, and a decision on the void delivery has no effect. So the outcome is kept here, by message
//! id, until the message is redelivered: a decided message is not handled again, and earlier failed attempts still count.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::ack::{Ack, Decision};
use super::verdict::{DeadLetterCause, Destination, FailedAttempts};
use crate::dead_letter::headers::{MAX_TEXT, named_size};
use crate::truncate::ellipsized;

/// The maximum number of kept outcomes, or the prefetch if that is more: then the results of all unacked events are kept. An outcome is
/// never used if another member of the group gets the message.
const CAPACITY: usize = 10_000;
/// The maximum size of all kept outcomes, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// The outcome of a void delivery.
pub(crate) enum VoidOutcome {
    /// The delivery was decided, but the broker never received the decision.
    Decided(Decision),
    /// The last attempt failed; the next one is due at this time.
    Failed(FailedAttempts, Instant),
    /// The delivery must be dead-lettered.
    DeadLetter(DeadLetterCause),
    /// The dead queue or retry queue hasn't accepted the delivery yet.
    Held(Destination),
}

impl VoidOutcome {
    /// Returns the outcome without the parts that the redelivered message contains too, and with its texts shortened.
    fn kept(mut self) -> Self {
        match &mut self {
            Self::Held(Destination::Dead(message)) => message.body = Bytes::new(),
            Self::DeadLetter(verdict) => verdict.error = ellipsized(&verdict.error, MAX_TEXT),
            Self::Decided(_) | Self::Failed(..) | Self::Held(Destination::Retry(..)) => {}
        }
        self
    }

    /// Returns the approximate size of the outcome in memory, in bytes.
    fn size(&self) -> usize {
        let texts = match self {
            Self::Decided(_) => 0,
            Self::Failed(failed, _) => failed.first.error.len(),
            Self::DeadLetter(verdict) => {
                let broken = verdict.violations.iter().map(|it| it.pointer.len() + it.message.len()).sum::<usize>();
                verdict.error.len() + broken + verdict.failed.as_ref().map_or(0, |failed| failed.first.error.len())
            }
            Self::Held(Destination::Dead(message)) => named_size(&message.headers),
            Self::Held(Destination::Retry(_, headers)) => named_size(headers),
        };
        size_of::<Self>() + texts
    }
}

/// The messages that a listener is handling, and the outcomes of void deliveries.
pub(crate) struct Recall {
    capacity: usize,
    hasher: RandomState,
    state: Mutex<RecallState>,
}

/// The messages that are being handled and the kept outcomes, by the 64-bit hash of the message's id. The hash has a random
/// key.
#[derive(Default)]
struct RecallState {
    handling: HashMap<u64, Handling>,
    /// Outcomes by the message's hash, each with the number of its entry in `order`.
    known: HashMap<u64, (u64, VoidOutcome)>,
    /// The size of the outcomes in bytes.
    bytes: usize,
    /// The number and hash of each outcome, oldest first, including outcomes that were used already.
    order: VecDeque<(u64, u64)>,
    /// The number of the next outcome.
    next: u64,
}

struct Handling {
    /// The number of deliveries of the message that are being handled: an event may have been published twice.
    times: u32,
    ended: Option<Arc<Notify>>,
}

impl Recall {
    pub(crate) fn new(prefetch: u16) -> Self {
        Self { capacity: CAPACITY.max(prefetch.into()), hasher: RandomState::new(), state: Mutex::default() }
    }

    /// Begins to handle a message that was not delivered before.
    pub(crate) fn begin(&self, id: &str) -> HandlingGuard<'_> {
        let key = self.hasher.hash_one(id);
        self.lock().begin(key);
        HandlingGuard { recall: self, key }
    }

    /// Begins to handle a message that was delivered before: waits until its earlier handling has ended, and takes its outcome.
    ///
    /// # Cancel safety
    /// If the future is dropped, the message isn't registered as being handled.
    pub(crate) async fn begin_again(&self, id: &str) -> (HandlingGuard<'_>, Option<VoidOutcome>) {
        let key = self.hasher.hash_one(id);
        loop {
            let ended = {
                let mut state = self.lock();
                match state.handling.get_mut(&key) {
                    Some(handling) => handling.ended.get_or_insert_default().clone().notified_owned(),
                    None => {
                        state.begin(key);
                        let known = state.forget(key);
                        return (HandlingGuard { recall: self, key }, known);
                    }
                }
            };
            ended.await;
        }
    }

    /// Returns whether no delivery of this message is being handled and no outcome of one is known.
    pub(crate) fn is_quiet(&self, id: &str) -> bool {
        let key = self.hasher.hash_one(id);
        let state = self.lock();
        !state.handling.contains_key(&key) && !state.known.contains_key(&key)
    }

    fn lock(&self) -> MutexGuard<'_, RecallState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecallState {
    fn begin(&mut self, key: u64) {
        self.handling.entry(key).or_insert_with(|| Handling { times: 0, ended: None }).times += 1;
    }

    fn forget(&mut self, key: u64) -> Option<VoidOutcome> {
        let (_, known) = self.known.remove(&key)?;
        self.bytes -= known.size();
        Some(known)
    }
}

/// Registers a message as being handled until the guard is dropped.
pub(crate) struct HandlingGuard<'a> {
    recall: &'a Recall,
    key: u64,
}

impl HandlingGuard<'_> {
    /// Remembers an `Ack` or `Drop` decision if the delivery is void, because the decision doesn't reach the broker.
    pub(crate) fn remember_if_void(&self, ack: &Ack) {
        if ack.is_void()
            && let Some(decision @ (Decision::Ack | Decision::Drop)) = ack.decision()
        {
            self.remember(VoidOutcome::Decided(decision));
        }
    }

    /// Remembers the outcome of a void delivery.
    pub(crate) fn remember(&self, outcome: VoidOutcome) {
        let mut state = self.recall.lock();
        let outcome = outcome.kept();
        state.forget(self.key);
        state.bytes += outcome.size();
        while (state.order.len() >= self.recall.capacity || state.bytes > MOST_BYTES)
            && let Some((number, oldest)) = state.order.pop_front()
        {
            if state.known.get(&oldest).is_some_and(|(known, _)| *known == number) {
                state.forget(oldest);
            }
        }
        let number = state.next;
        state.next += 1;
        state.order.push_back((number, self.key));
        state.known.insert(self.key, (number, outcome));
    }
}

impl Drop for HandlingGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.recall.lock();
        let Some(handling) = state.handling.get_mut(&self.key) else { return };
        handling.times -= 1;
        if handling.times == 0
            && let Some(Handling { ended: Some(ended), .. }) = state.handling.remove(&self.key)
        {
            ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letter::headers::Header;
    use crate::transport::{Outgoing, PublishTarget};

    #[tokio::test]
    async fn a_message_that_comes_again_waits_for_its_first_handling_and_gets_its_outcome() {
        let recall = Arc::new(Recall::new(1));
        let first = recall.begin("a");
        let again = tokio::spawn({
            let recall = recall.clone();
            async move {
                let (_guard, known) = recall.begin_again("a").await;
                known.is_some_and(|known| matches!(known, VoidOutcome::Decided(Decision::Ack)))
            }
        });
        tokio::task::yield_now().await;
        assert!(!again.is_finished());
        first.remember(VoidOutcome::Decided(Decision::Ack));
        drop(first);
        assert!(again.await.unwrap());
        assert!(recall.begin_again("a").await.1.is_none(), "it is known once");
        assert!(recall.lock().handling.is_empty());
    }

    #[tokio::test]
    async fn the_oldest_outcomes_are_forgotten() {
        let recall = Recall::new(1);
        for n in 0..=CAPACITY {
            recall.begin(&n.to_string()).remember(VoidOutcome::Decided(Decision::Ack));
        }
        assert!(recall.begin_again("0").await.1.is_none());
        assert!(recall.begin_again("1").await.1.is_some());
        assert!(recall.begin_again(&CAPACITY.to_string()).await.1.is_some());
    }

    #[tokio::test]
    async fn an_outcome_that_is_kept_again_is_as_new_as_it_is() {
        let recall = Recall::new(1);
        let ack = || VoidOutcome::Decided(Decision::Ack);
        recall.begin("a").remember(ack());
        assert!(recall.begin_again("a").await.1.is_some());
        recall.begin("a").remember(ack());
        for n in 0..CAPACITY - 1 {
            recall.begin(&n.to_string()).remember(ack());
        }
        assert!(recall.begin_again("a").await.1.is_some(), "its old place in the order counted");
    }

    #[tokio::test]
    async fn keeps_no_bodies_and_not_more_bytes_than_it_may() {
        let recall = Recall::new(1);
        let dead = |text: usize| {
            VoidOutcome::Held(Destination::Dead(Outgoing {
                to: PublishTarget::Back("q".into()),
                body: vec![0; 1 << 20].into(),
                message_id: "id".into(),
                timestamp: chrono::Utc::now(),
                app_id: "test".into(),
                headers: vec![("x-twyla-error".into(), Header::Text("e".repeat(text)))],
                original: None,
                trace: None,
            }))
        };
        recall.begin("first").remember(dead(1));
        let Some(VoidOutcome::Held(Destination::Dead(message))) = recall.begin_again("first").await.1 else {
            panic!("it is known")
        };
        assert!(message.body.is_empty());
        assert_eq!(recall.lock().bytes, 0);
        for n in 0..100 {
            recall.begin(&n.to_string()).remember(dead(1 << 20));
        }
        let bytes = recall.lock().bytes;
        assert!((MOST_BYTES / 2..=MOST_BYTES).contains(&bytes), "{bytes}");
        assert!(recall.begin_again("0").await.1.is_none());
        assert!(recall.begin_again("99").await.1.is_some());
    }

    #[tokio::test]
    async fn the_outcomes_of_all_unacked_events_are_kept() {
        let recall = Recall::new(u16::MAX / 2);
        for n in 0..u16::MAX / 2 {
            recall.begin(&n.to_string()).remember(VoidOutcome::Decided(Decision::Ack));
        }
        assert!(recall.begin_again("0").await.1.is_some());
    }
}
