//! The specification of a group's queue.

use std::time::Duration;

use super::queue_names::retry_name;

/// The type of a group's queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum QueueKind {
    /// A quorum queue: replicated, and faster than a classic queue.
    #[default]
    Quorum,
    /// A classic durable queue without arguments, as the Python original declares it. Use it for groups that have members
    /// written with the Python original, or that consume its events: the Python original publishes without confirms, and a
    /// quorum queue may lose events published just before the publisher's connection closes.
    Classic,
}

/// The queue of one group for one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueueSpec {
    pub(crate) event: &'static str,
    /// The exchange.
    pub(crate) domain: &'static str,
    /// The routing key.
    pub(crate) event_type: &'static str,
    pub(crate) group: &'static str,
    pub(crate) name: String,
    pub(crate) dead: String,
    pub(crate) kind: QueueKind,
    pub(crate) prefetch: u16,
    /// Whether a single member of the group gets all events, which keeps their order.
    pub(crate) single: bool,
}

#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only RabbitMQ has such queues"))]
impl QueueSpec {
    /// Returns the name of the queue that returns an event after `pause`.
    pub(crate) fn retry(&self, pause: Duration) -> String {
        retry_name(&self.name, pause)
    }
}
