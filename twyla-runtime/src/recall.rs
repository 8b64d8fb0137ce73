//! What a listener remembers of deliveries that the broker has taken back while they were being handled.
//!
//! A delivery is void once its channel is gone: the connection was lost, or the broker's `consumer_timeout` has passed. The
//! broker delivers the message again, and whatever the service decides about the void delivery has no effect. So the outcome
//! is kept here, by message id, until the message comes back: it is not handled a second time, and its attempts go on counting.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::ack::{Ack, Decision};
use crate::aside::{Failed, Verdict};
use crate::attempt::Listening;
use crate::drain;
use crate::hold::Way;

/// How many outcomes are kept. Members of a group that got the others' messages never ask for theirs.
const CAPACITY: usize = 10_000;

/// The outcome of a void delivery.
pub(crate) enum Known {
    /// It was decided, but the broker never learned of it.
    Decided(Decision),
    /// Its last attempt has failed, and the next one is due then.
    Failed(Failed, Instant),
    /// It is to be dead-lettered.
    DeadLetter(Verdict),
    /// Its dead queue or retry queue didn't take it yet.
    Held(Way),
}

/// What a listener is handling, and the outcomes of void deliveries.
#[derive(Default)]
pub(crate) struct Recall {
    hasher: RandomState,
    state: Mutex<State>,
}

/// By the hash of the message's id, 64 bits with a key of this process's own.
#[derive(Default)]
struct State {
    handling: HashMap<u64, Handling>,
    /// With the number of each.
    known: HashMap<u64, (u64, Known)>,
    /// In the order in which they became known, those that have come back included.
    order: VecDeque<(u64, u64)>,
    /// The number of the next one.
    next: u64,
}

struct Handling {
    /// The same event may have been published twice.
    times: u32,
    since: Instant,
    reported: bool,
    ended: Option<Arc<Notify>>,
}

impl Recall {
    /// Begins to handle a message that was not delivered before.
    pub(crate) fn begin(&self, id: &str) -> Guard<'_> {
        let key = self.hasher.hash_one(id);
        self.lock().begin(key);
        Guard { recall: self, key }
    }

    /// Begins to handle a message that was delivered before: waits until this service doesn't handle it any more, and takes what
    /// is known of it.
    ///
    /// # Cancel safety
    /// Nothing is begun if the future is dropped.
    pub(crate) async fn begin_again(&self, id: &str) -> (Guard<'_>, Option<Known>) {
        let key = self.hasher.hash_one(id);
        loop {
            let ended = {
                let mut state = self.lock();
                match state.handling.get_mut(&key) {
                    Some(handling) => handling.ended.get_or_insert_default().clone().notified_owned(),
                    None => {
                        state.begin(key);
                        return (Guard { recall: self, key }, state.known.remove(&key).map(|(_, known)| known));
                    }
                }
            };
            ended.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many deliveries have been handled for longer than this, and were not counted before.
    fn overlong(&self, than: Duration) -> usize {
        let mut state = self.lock();
        let overlong = state.handling.values_mut().filter(|it| !it.reported && it.since.elapsed() > than);
        overlong.map(|it| it.reported = true).count()
    }
}

impl State {
    fn begin(&mut self, key: u64) {
        let new = || Handling { times: 0, since: Instant::now(), reported: false, ended: None };
        self.handling.entry(key).or_insert_with(new).times += 1;
    }
}

/// A message that is being handled, until this is dropped.
pub(crate) struct Guard<'a> {
    recall: &'a Recall,
    key: u64,
}

impl Guard<'_> {
    /// Remembers the decision on a delivery that is void, so that the broker never learns of it.
    pub(crate) fn remember_if_void(&self, ack: &Ack) {
        if ack.is_void()
            && let Some(decision @ (Decision::Ack | Decision::Drop)) = ack.decision()
        {
            self.remember(Known::Decided(decision));
        }
    }

    /// Remembers the outcome of a void delivery.
    pub(crate) fn remember(&self, outcome: Known) {
        let mut state = self.recall.lock();
        while state.order.len() >= CAPACITY
            && let Some((number, oldest)) = state.order.pop_front()
        {
            if state.known.get(&oldest).is_some_and(|(known, _)| *known == number) {
                state.known.remove(&oldest);
            }
        }
        let number = state.next;
        state.next += 1;
        state.order.push_back((number, self.key));
        state.known.insert(self.key, (number, outcome));
    }
}

impl Drop for Guard<'_> {
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

/// Warns of each handler that runs for longer than half of the broker's `consumer_timeout`, until the service stops.
pub(crate) async fn watch(listening: Arc<Listening>) {
    let half = listening.consumer_timeout / 2;
    let mut stopping = listening.stopping.clone();
    loop {
        tokio::select! {
            () = sleep((half / 4).clamp(Duration::from_millis(100), Duration::from_secs(60))) => {}
            () = drain::stopping(&mut stopping) => return,
        }
        let handlers = listening.recall.overlong(half);
        if handlers > 0 {
            let (event, group, timeout) = (listening.queue.event, listening.queue.group, listening.consumer_timeout);
            tracing::warn!(
                event,
                group,
                handlers,
                ?timeout,
                "a handler has run for half of the broker's `consumer_timeout`: after all of it the broker takes the event back \
                 and delivers it again"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_that_comes_again_waits_for_its_first_handling_and_gets_its_outcome() {
        let recall = Arc::new(Recall::default());
        let first = recall.begin("a");
        let again = tokio::spawn({
            let recall = recall.clone();
            async move {
                let (_guard, known) = recall.begin_again("a").await;
                known.is_some_and(|known| matches!(known, Known::Decided(Decision::Ack)))
            }
        });
        tokio::task::yield_now().await;
        assert!(!again.is_finished());
        first.remember(Known::Decided(Decision::Ack));
        drop(first);
        assert!(again.await.unwrap());
        assert!(recall.begin_again("a").await.1.is_none(), "it is known once");
        assert!(recall.lock().handling.is_empty());
    }

    #[tokio::test]
    async fn the_oldest_outcomes_are_forgotten() {
        let recall = Recall::default();
        for n in 0..=CAPACITY {
            recall.begin(&n.to_string()).remember(Known::Decided(Decision::Ack));
        }
        assert!(recall.begin_again("0").await.1.is_none());
        assert!(recall.begin_again("1").await.1.is_some());
        assert!(recall.begin_again(&CAPACITY.to_string()).await.1.is_some());
    }

    #[tokio::test]
    async fn an_outcome_that_is_kept_again_is_as_new_as_it_is() {
        let recall = Recall::default();
        let ack = || Known::Decided(Decision::Ack);
        recall.begin("a").remember(ack());
        assert!(recall.begin_again("a").await.1.is_some());
        recall.begin("a").remember(ack());
        for n in 0..CAPACITY - 1 {
            recall.begin(&n.to_string()).remember(ack());
        }
        assert!(recall.begin_again("a").await.1.is_some(), "its old place in the order counted");
    }

    #[tokio::test(start_paused = true)]
    async fn an_overlong_handler_is_counted_once() {
        let recall = Recall::default();
        let _first = recall.begin("a");
        tokio::time::advance(Duration::from_secs(10)).await;
        let _second = recall.begin("b");
        let half = Duration::from_secs(9);
        assert_eq!((recall.overlong(half), recall.overlong(half)), (1, 0));
    }
}
