//! The names of a group's queues: the queue itself, its retry queues and its dead queue.

use std::time::Duration;

use crate::service::retry::step_name;

/// Returns the name of a group's queue.
pub(crate) fn queue_name(event: &str, group: &str) -> String {
    format!("{event}.{group}")
}

/// Returns the name of the queue that returns an event to the queue `name` after `pause`.
pub(crate) fn retry_name(name: &str, pause: Duration) -> String {
    format!("{name}.retry.{}", step_name(pause))
}

/// Returns the name of the dead queue of a group's queue.
pub(crate) fn dead_name(event: &str, group: &str) -> String {
    format!("{event}.{group}.dead")
}
