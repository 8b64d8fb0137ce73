//! One listener of a running service: the state that its deliveries share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::ack::Decision;
use super::backlog::HeldDeliveries;
use super::dedupe::Dedupe;
use super::gather::Gathering;
use super::handler::{Keyed, Registration, States};
use super::limits::Limits;
use super::pace::Pace;
use super::phase::Phase;
use super::recall::Recall;
use super::retry::Retry;
use super::running_handlers::RunningHandlers;
use super::store_state::StoreState;
use crate::bus::Bus;
use crate::progress::{AttemptStart, DeliveryProgress};
use crate::telemetry::metrics::ListenerMetrics;
use crate::transport::{Delivery, QueueSpec};

/// One listener of a running service.
pub(crate) struct ActiveListener {
    pub(crate) bus: Bus,
    pub(crate) states: Arc<States>,
    pub(crate) listener: Registration,
    pub(crate) queue: Arc<QueueSpec>,
    pub(crate) retry: Retry,
    /// The maximum number of redeliveries of a message; after these, it is dead-lettered.
    pub(crate) redeliveries: u32,
    pub(crate) dedupe: Option<Dedupe>,
    pub(crate) store: StoreState,
    pub(crate) hold: HeldDeliveries,
    /// The outcomes of deliveries that the broker has taken back.
    pub(crate) recall: Recall,
    /// The running handlers.
    pub(crate) runs: RunningHandlers,
    /// A notification renews the consumer: all unsettled deliveries return to the broker.
    pub(crate) renew: Arc<Notify>,
    /// The time after which the broker takes an unsettled delivery back.
    pub(crate) consumer_timeout: Duration,
    /// The batch that gathers, in a batch listener.
    pub(crate) gathering: Option<Gathering>,
    /// The permits of concurrent handlers; `None` if the prefetch is the only limit.
    pub(crate) places: Option<Arc<Semaphore>>,
    /// The limits that its events pass before they are handled, if there are any.
    pub(crate) limits: Option<Limits>,
    pub(crate) pace: Pace,
    pub(crate) metrics: ListenerMetrics,
    pub(crate) stopping: watch::Receiver<Phase>,
}

impl ActiveListener {
    pub(crate) fn is_ordered(&self) -> bool {
        self.listener.policy.key.is_some()
    }

    /// Returns whether the handler works in the transaction of the dedupe store: a failed attempt leaves nothing behind.
    pub(crate) fn takes_transaction(&self) -> bool {
        let transaction = self.dedupe.as_ref().and_then(|dedupe| dedupe.gives);
        transaction.is_some_and(|id| self.listener.needs.iter().any(|need| need.id == id))
    }

    /// Returns the report that an attempt begins.
    pub(crate) fn attempt_start<'a>(&self, number: u32, message_id: Option<&'a str>) -> AttemptStart<'a> {
        AttemptStart {
            event: self.queue.event,
            group: self.queue.group,
            handler: self.listener.handler,
            number,
            message_id,
        }
    }

    /// Waits for the permit of a handler; `None` if the prefetch is the only limit.
    pub(crate) async fn permit(&self, progress: &DeliveryProgress) -> Option<OwnedSemaphorePermit> {
        match &self.places {
            Some(places) => progress.acquire(places).await,
            None => None,
        }
    }

    /// Returns whether a delivery was redelivered so often that it may be the one that ends the process each time.
    pub(crate) fn is_suspect(&self, delivery: &Delivery) -> bool {
        delivery.redeliveries >= (self.redeliveries / 2).max(1)
    }

    /// Applies the decision that was made before the broker took the delivery back.
    pub(crate) fn settle(&self, delivery: &Delivery, decision: Decision) {
        let (event, group, message_id) = (self.queue.event, self.queue.group, delivery.message_id.as_deref());
        tracing::debug!(
            event,
            group,
            message_id,
            ?decision,
            "the event's outcome was decided before the broker took it back: not handled again"
        );
        match decision {
            Decision::Ack => delivery.ack.ack(),
            Decision::Requeue => delivery.ack.reject(),
            Decision::Drop => delivery.ack.drop(),
        };
    }

    /// Returns the hash of the delivery's key. `None` if it has no key: such an event breaks its contract and is dead-lettered.
    pub(crate) fn key_hash(&self, delivery: &Delivery) -> Option<u64> {
        let key = self.listener.policy.key?;
        let envelope = delivery.envelope(self.queue.event).ok()?;
        let session = envelope.session.map(|session| session.id).unwrap_or_default();
        key(&Keyed { content: &envelope.content, context: &envelope.context, session })
    }
}
