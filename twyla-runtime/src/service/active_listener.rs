//! One listener of a running service: what each of its deliveries needs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};

use super::ack::Decision;
use super::backlog::HeldDeliveries;
use super::dedupe::Dedupe;
use super::handler::{Keyed, Registration, States};
use super::pace::Pace;
use super::phase::Phase;
use super::recall::Recall;
use super::retry::Retry;
use super::running_handlers::RunningHandlers;
use super::store_state::StoreState;
use crate::bus::Bus;
use crate::contract::envelope;
use crate::telemetry::metrics::ListenerMetrics;
use crate::transport::{Delivery, QueueSpec};

/// One listener of a running service.
pub(crate) struct ActiveListener {
    pub(crate) bus: Bus,
    pub(crate) states: Arc<States>,
    pub(crate) listener: Registration,
    pub(crate) queue: Arc<QueueSpec>,
    pub(crate) retry: Retry,
    /// How often a delivery may come again before it is parked.
    pub(crate) redeliveries: u32,
    pub(crate) dedupe: Option<Dedupe>,
    pub(crate) store: StoreState,
    pub(crate) hold: HeldDeliveries,
    /// What is known of deliveries that the broker has taken back.
    pub(crate) recall: Recall,
    /// The handlers that run.
    pub(crate) runs: RunningHandlers,
    /// Notified to give all deliveries back.
    pub(crate) renew: Arc<Notify>,
    /// After how long the broker takes a delivery back.
    pub(crate) consumer_timeout: Duration,
    /// How many handlers may run at once, where that is fewer than the prefetch.
    pub(crate) places: Option<Arc<Semaphore>>,
    pub(crate) pace: Pace,
    pub(crate) figures: ListenerMetrics,
    pub(crate) stopping: watch::Receiver<Phase>,
}

impl ActiveListener {
    pub(crate) fn is_ordered(&self) -> bool {
        self.listener.policy.key.is_some()
    }

    /// Decides on a delivery as it was decided on before the broker took it back.
    pub(crate) fn settle(&self, delivery: &Delivery, decision: Decision) {
        let (event, group, message_id) = (self.queue.event, self.queue.group, delivery.message_id.as_deref());
        tracing::debug!(
            event,
            group,
            message_id,
            ?decision,
            "its outcome was decided before the broker took it back: not handled again"
        );
        match decision {
            Decision::Ack => delivery.ack.ack(),
            Decision::Requeue => delivery.ack.reject(),
            Decision::Drop => delivery.ack.drop(),
        };
    }

    /// The lane of a delivery: none where it has no key, which then is parked for its contract.
    pub(crate) fn lane(&self, delivery: &Delivery) -> Option<u64> {
        let key = self.listener.policy.key?;
        let envelope = envelope::decode(&delivery.body, self.queue.event).ok()?;
        let session = envelope.session.map(|session| session.id).unwrap_or_default();
        key(&Keyed { content: &envelope.content, context: &envelope.context, session })
    }
}
