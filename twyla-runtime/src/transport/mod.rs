//! What the bus asks of whatever carries its messages: RabbitMQ, or the memory of this process.

#[cfg(feature = "amqp")]
pub(crate) mod amqp;
pub(crate) mod memory;
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only RabbitMQ's messages have such"))]
pub(crate) mod original;
pub(crate) mod state;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use self::original::Original;
use self::state::BusState;
use crate::ack::Ack;
use crate::dead::{Decide, Sorted};
use crate::error::Error;
use crate::park::{DeadLetter, Header, Named};
use crate::retry::step_name;
use crate::trace::TraceContext;
use crate::underway::UnderWay;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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

/// A message on its way out. Cloning it copies no body.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "some properties are for others to read"))]
pub(crate) struct Outgoing {
    pub(crate) to: Address,
    pub(crate) body: Bytes,
    pub(crate) message_id: Arc<str>,
    pub(crate) timestamp: DateTime<Utc>,
    pub(crate) app_id: Arc<str>,
    pub(crate) headers: Vec<Named>,
    /// Where in its trace this is.
    pub(crate) trace: Option<TraceContext>,
    /// The properties that the message came with, which it keeps; none for a message that is sent first.
    pub(crate) original: Option<Box<Original>>,
}

/// Where a message goes.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// To everyone who listens to an event. Nobody may be there.
    Event { domain: Cow<'static, str>, event_type: Cow<'static, str> },
    /// Into the dead queue beside a queue. It must be there.
    Dead(Arc<QueueSpec>),
    /// Into a queue that gives it back to its group's queue after this long. It must be there.
    Retry(Arc<QueueSpec>, Duration),
    /// Into the queue of a group, past every other.
    Back(Arc<str>),
}

/// A running consumer.
pub(crate) struct Subscription {
    /// What the broker delivers, what came together at once; ends if the transport is closed.
    pub(crate) deliveries: mpsc::UnboundedReceiver<Vec<Delivery>>,
    /// Whether the consumer is there now.
    pub(crate) there: watch::Receiver<bool>,
    /// Dropping it stops the deliveries. Decisions on what was delivered are still taken.
    pub(crate) intake: watch::Sender<()>,
    /// Notified to have the consumer made again: all deliveries that are not decided on go back, and come again in their order.
    pub(crate) renew: Arc<Notify>,
    /// Resolves when all deliveries are decided on and the consumer is gone.
    pub(crate) done: BoxFuture<'static, ()>,
}

/// One message as it came in.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) body: Bytes,
    pub(crate) exchange: Cow<'static, str>,
    pub(crate) routing_key: Cow<'static, str>,
    pub(crate) message_id: Option<String>,
    /// How often it was delivered before and not settled; where the broker doesn't count, 1 for "before".
    pub(crate) redeliveries: u32,
    pub(crate) headers: Vec<(String, Header)>,
    /// Where in its trace it was sent.
    pub(crate) trace: Option<TraceContext>,
    /// Its other properties.
    pub(crate) original: Option<Original>,
    /// If it is dropped undecided, the message goes back to its queue.
    pub(crate) ack: Ack,
    /// When it was delivered: the broker's `consumer_timeout` counts from here.
    pub(crate) arrived: Instant,
    /// For as long as it is there, it is under way.
    pub(crate) under_way: UnderWay,
}
