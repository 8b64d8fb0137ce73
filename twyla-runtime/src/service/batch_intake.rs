//! Begins the deliveries of a batch listener, in the order in which they arrive.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::task::{Id, JoinSet};

use super::active_listener::ActiveListener;
use super::attempt::handle_in_turn;
use super::batch_keys::BatchKeys;
use super::gather::{Follows, Gathering, Membership};
use super::start::Signal;
use crate::progress::DeliveryProgress;
use crate::transport::Delivery;

/// The deliveries of a batch listener that have begun, and those that wait for others with the same key.
pub(crate) struct BatchIntake {
    listening: Arc<ActiveListener>,
    keys: BatchKeys<Delivery, Signal>,
    /// The key of each delivery that has begun, if events are ordered by a key.
    begun: HashMap<Id, (u64, DeliveryProgress)>,
}

impl BatchIntake {
    pub(crate) fn new(listening: Arc<ActiveListener>) -> Self {
        Self { listening, keys: BatchKeys::default(), begun: HashMap::new() }
    }

    /// Begins a delivery, or lets it wait behind others with the same key.
    pub(crate) fn take(&mut self, delivery: Delivery, handlers: &mut JoinSet<()>) {
        let Some(key) = self.listening.key_hash(&delivery) else {
            begin(&self.listening, delivery, Membership::default(), handlers);
            return;
        };
        let progress = delivery.progress.clone();
        let joins = joins_at_once(&self.listening, &delivery);
        match self.keys.enter(key, delivery, joins, self.open()) {
            Some(next) => self.begin_all(key, next, handlers),
            None => progress.rest(),
        }
    }

    /// Removes a delivery that has ended, and begins those that waited for it.
    pub(crate) fn ended(&mut self, id: Id, handlers: &mut JoinSet<()>) {
        let Some((key, ended)) = self.begun.remove(&id) else { return };
        if let Some(next) = self.keys.leave(key) {
            self.begin_all(key, (next, None), handlers);
        }
        // only after the next has begun: observers always see one delivery in progress
        drop(ended);
    }

    /// Begins a delivery, and those behind it that join its batch.
    fn begin_all(&mut self, key: u64, next: (Delivery, Option<u64>), handlers: &mut JoinSet<()>) {
        let mut next = Some(next);
        while let Some((delivery, follows)) = next {
            let progress = delivery.progress.clone();
            progress.wake();
            // the batch may end at any time, also between the look at it and the join
            let (gate, follows) = follows
                .map(|batch| {
                    let (gate, ended) = Signal::new();
                    (gate, Follows { batch, ended })
                })
                .unzip();
            let membership = Membership { key: Some(key), follows, ..Membership::default() };
            let joined = membership.joined.clone();
            next = match begin(&self.listening, delivery, membership, handlers) {
                Some(id) => {
                    self.begun.insert(id, (key, progress));
                    self.keys.joined(key, joined.get().copied(), gate);
                    let open = self.open();
                    self.keys.next(key, |next| joins_at_once(&self.listening, next), open)
                }
                None => self.keys.leave(key).map(|next| (next, None)),
            };
        }
    }

    fn open(&self) -> Option<u64> {
        self.listening.gathering.as_ref().and_then(Gathering::open)
    }
}

/// Returns whether a delivery joins a batch as soon as it begins, or else ends: it hasn't failed before, and no other delivery of
/// the message is known.
fn joins_at_once(listening: &ActiveListener, delivery: &Delivery) -> bool {
    let id = delivery.message_id.as_deref();
    delivery.failed().is_none()
        && (delivery.redeliveries == 0
            || !listening.is_suspect(delivery) && id.is_none_or(|id| listening.recall.is_quiet(id)))
}

/// Begins a delivery; returns its task unless it has ended already.
fn begin(
    listening: &Arc<ActiveListener>,
    delivery: Delivery,
    membership: Membership,
    handlers: &mut JoinSet<()>,
) -> Option<Id> {
    let mut handling = Box::pin(handle_in_turn(listening.clone(), delivery, membership));
    // The delivery joins its batch in this first poll, so that batches have the order of arrival. The new task polls the future
    // again at once, so its waker isn't lost.
    match handling.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(()) => None,
        Poll::Pending => Some(handlers.spawn(handling).id()),
    }
}
