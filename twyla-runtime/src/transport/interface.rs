//! The interface between the bus and a transport.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::delivery::Subscription;
use super::message::Outgoing;
use super::queue::QueueSpec;
use super::state::BusState;
use crate::bus::error::Error;
use crate::dead_letter::letter::DeadLetter;
use crate::dead_letter::triage::{Decide, Sorted};
use crate::future::BoxFuture;

/// Publishes and delivers messages.
pub(crate) trait Transport: Send + Sync + fmt::Debug {
    /// Returns the value of OpenTelemetry's attribute `messaging.system`.
    fn system(&self) -> &'static str;

    /// Publishes a message; resolves once the broker confirms it. Retries until `deadline`.
    fn publish(self: Arc<Self>, message: Outgoing, deadline: Instant) -> BoxFuture<'static, Result<(), Unpublished>>;

    /// Returns the broker's size limit for a message, in bytes with the envelope; `None` while it is unknown: the broker names it
    /// only when it refuses a message that is too large.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        allow(dead_code, reason = "only the outbox needs the limit")
    )]
    fn size_limit(&self) -> Option<usize> {
        None
    }

    /// Declares and binds the queue, and consumes from it; resolves when the broker has confirmed the consumer.
    fn subscribe(&self, queue: Arc<QueueSpec>) -> BoxFuture<'_, Result<Subscription, Error>>;

    /// Returns the first `limit` messages of a dead queue, and leaves them there.
    fn dead_letters(&self, dead_queue: String, limit: usize) -> BoxFuture<'_, Result<Vec<DeadLetter>, Error>>;

    /// Returns the number of messages in a dead queue.
    fn count_dead(&self, dead_queue: String) -> BoxFuture<'_, Result<usize, Error>>;

    /// Applies `decide` to each message that is in the dead queue now; replayed messages go to the queue `back`.
    fn sort_dead<'a>(
        &'a self,
        dead_queue: String,
        back: String,
        decide: Decide<'a>,
    ) -> BoxFuture<'a, Result<Sorted, Error>>;

    /// Returns the connection state.
    fn state(&self) -> watch::Receiver<BusState>;

    /// Waits for pending confirms, then closes all connections.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A message that the broker did not confirm.
#[derive(Clone, Debug)]
pub(crate) struct Unpublished {
    /// Whether the broker may have received the message.
    pub(crate) maybe_sent: bool,
    pub(crate) why: String,
    pub(crate) cause: PublishFailure,
}

/// Why a message was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublishFailure {
    /// The deadline passed; a retry may succeed.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only a publish to a broker can take too long"))]
    Deadline,
    /// The broker refuses the message; retries fail until the cause is fixed.
    Refused,
    /// The broker refuses the message because of its size.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only RabbitMQ has such a limit"))]
    TooLarge { bytes: usize, most: usize },
    /// The bus is closed.
    Closed,
}

impl Unpublished {
    pub(crate) fn closed() -> Self {
        Self { maybe_sent: false, why: "the bus is closed".to_owned(), cause: PublishFailure::Closed }
    }
}
