//! Queues: their names, and what a group's queue is like.

use std::time::Duration;

use crate::service::retry::step_name;

/// Which kind of queue a group's events wait in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum QueueKind {
    /// A quorum queue: replicated, and the faster one too.
    #[default]
    Quorum,
    /// A classic durable queue without arguments, as the Python original declares it: for groups that have members
    /// written with it, or take what it publishes, without confirms: of that a quorum queue may lose what came just before
    /// the publisher's connection was closed.
    Classic,
}

/// The queue of one group for one event, with what belongs to it.
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
    /// One member of the group gets all its events, so that their order is kept.
    pub(crate) single: bool,
}

#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only RabbitMQ has such queues"))]
impl QueueSpec {
    /// The name of the queue that gives an event back after `pause`.
    pub(crate) fn retry(&self, pause: Duration) -> String {
        format!("{}.retry.{}", self.name, step_name(pause))
    }
}

/// The name of a group's queue.
pub(crate) fn queue_name(event: &str, group: &str) -> String {
    format!("{event}.{group}")
}

/// The name of the dead queue beside a group's queue.
pub(crate) fn dead_name(event: &str, group: &str) -> String {
    format!("{event}.{group}.dead")
}
