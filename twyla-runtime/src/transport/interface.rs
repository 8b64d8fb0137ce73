//! What the bus asks of whatever carries its messages.

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

/// Carries messages.
pub(crate) trait Transport: Send + Sync + fmt::Debug {
    /// What carries the messages, in OpenTelemetry's words.
    fn system(&self) -> &'static str;

    /// Resolves once the message is safe with the broker; sends it again as often as needed until `deadline`.
    fn publish(self: Arc<Self>, message: Outgoing, deadline: Instant) -> BoxFuture<'static, Result<(), Unpublished>>;

    /// The most bytes that the broker is known to take, with their envelope, if it has refused more.
    #[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code, reason = "asked for an outbox"))]
    fn most(&self) -> Option<usize> {
        None
    }

    /// Makes the queue and its bindings and consumes from it; resolves when the consumer is really there.
    fn subscribe(&self, queue: Arc<QueueSpec>) -> BoxFuture<'_, Result<Subscription, Error>>;

    /// Looks at the first `limit` messages of a dead queue and leaves them there.
    fn dead_letters(&self, dead_queue: String, limit: usize) -> BoxFuture<'_, Result<Vec<DeadLetter>, Error>>;

    /// How many messages a dead queue has.
    fn count_dead(&self, dead_queue: String) -> BoxFuture<'_, Result<usize, Error>>;

    /// Asks of each message of a dead queue that is there now what becomes of it; replayed ones go to the queue `back`.
    fn sort_dead<'a>(
        &'a self,
        dead_queue: String,
        back: String,
        decide: Decide<'a>,
    ) -> BoxFuture<'a, Result<Sorted, Error>>;

    /// Whether it is connected.
    fn state(&self) -> watch::Receiver<BusState>;

    /// Waits for pending confirms, then closes all connections.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The broker did not confirm a message.
#[derive(Clone, Debug)]
pub(crate) struct Unpublished {
    /// Whether it may have got it all the same.
    pub(crate) maybe_sent: bool,
    pub(crate) why: String,
    pub(crate) cause: Cause,
}

/// What has kept a message from being published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The deadline: it may pass when it is tried again.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only a broker keeps one waiting"))]
    Deadline,
    /// The broker refuses it. Trying again makes no sense before something is changed.
    Refused,
    /// The broker refuses it for its size.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only RabbitMQ has such a limit"))]
    TooLarge { bytes: usize, most: usize },
    /// The bus is closed.
    Closed,
}

impl Unpublished {
    pub(crate) fn closed() -> Self {
        Self { maybe_sent: false, why: "the bus is closed".to_owned(), cause: Cause::Closed }
    }
}
