//! Exchanges, queues and bindings: made where they are missing, used as they are where they are there.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, Error, ErrorKind, ExchangeKind};

use crate::transport::{QueueKind, QueueSpec};

pub(crate) const ACCESS_REFUSED: u16 = 403;
pub(crate) const NOT_FOUND: u16 = 404;
pub(crate) const PRECONDITION_FAILED: u16 = 406;

/// A quorum queue of RabbitMQ 4 throws a message away when it was given back 20 times. Nothing may be lost here, so the
/// limit is set out of reach; `-1`, which means "none" there, means "at once" to RabbitMQ 3.10.
const DELIVERY_LIMIT: i32 = 1_000_000_000;

/// Remembers what it has warned of.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    adopted: Mutex<HashSet<String>>,
}

/// Whether the broker said this with its error.
pub(crate) fn is(error: &Error, code: u16) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == code)
}

/// Whether trying again makes no sense before someone has changed something.
pub(crate) fn is_permanent(error: &Error) -> bool {
    [ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED].iter().any(|code| is(error, *code))
}

/// What can be declared.
#[derive(Clone, Copy, Debug)]
enum Thing<'a> {
    Exchange(&'a str),
    Queue(&'a str, QueueKind),
    /// A group's queue whose events all go to one member.
    Single(&'a str, QueueKind),
    /// What gives its messages back to the queue of a group after a while.
    Retry(&'a str, &'a str, Duration),
}

impl Thing<'_> {
    fn arguments(self) -> FieldTable {
        let mut arguments = FieldTable::default();
        let mut add = |name: &str, value: AMQPValue| {
            arguments.insert(name.into(), value);
        };
        let text = |text: &str| AMQPValue::LongString(text.into());
        if let Self::Queue(_, QueueKind::Quorum) | Self::Single(_, QueueKind::Quorum) | Self::Retry(..) = self {
            add("x-queue-type", text("quorum"));
            add("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT));
        }
        match self {
            Self::Single(..) => add("x-single-active-consumer", AMQPValue::Boolean(true)),
            // A classic queue gives what is over its time to another without a confirm, and a quorum queue too unless it
            // is told: so these are always quorum queues, and told.
            Self::Retry(_, back, pause) => {
                add("x-message-ttl", AMQPValue::LongLongInt(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)));
                add("x-dead-letter-exchange", text(""));
                add("x-dead-letter-routing-key", text(back));
                add("x-dead-letter-strategy", text("at-least-once"));
                add("x-overflow", text("reject-publish"));
            }
            Self::Exchange(_) | Self::Queue(..) => {}
        }
        arguments
    }

    async fn declare(self, channel: &Channel, passive: bool) -> Result<(), Error> {
        match self {
            Self::Exchange(name) => {
                let options = ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
                channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default()).await
            }
            Self::Queue(name, _) | Self::Single(name, _) | Self::Retry(name, ..) => {
                let options = QueueDeclareOptions { passive, ..QueueDeclareOptions::durable() };
                channel.queue_declare(name.into(), options, self.arguments()).await.map(drop)
            }
        }
    }
}

impl Topology {
    /// Makes sure of a domain's exchange.
    pub(crate) async fn exchange(&self, connection: &Connection, domain: &str) -> Result<(), Error> {
        self.made_or_adopted(connection, Thing::Exchange(domain)).await
    }

    /// Makes sure of a queue.
    pub(crate) async fn queue(&self, connection: &Connection, name: &str, kind: QueueKind) -> Result<(), Error> {
        self.made_or_adopted(connection, Thing::Queue(name, kind)).await
    }

    /// Makes sure of the queue that gives messages back to a group's after `pause`.
    pub(crate) async fn retry(&self, connection: &Connection, spec: &QueueSpec, pause: Duration) -> Result<(), Error> {
        self.made_or_adopted(connection, Thing::Retry(&spec.retry(pause), &spec.name, pause)).await
    }

    /// Makes sure of all that a group needs to listen to an event.
    pub(crate) async fn listener(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        self.exchange(connection, spec.domain).await?;
        self.queue(connection, &spec.dead, spec.kind).await?;
        let queue = if spec.single { Thing::Single } else { Thing::Queue };
        self.made_or_adopted(connection, queue(&spec.name, spec.kind)).await?;
        self.bind(connection, spec).await
    }

    /// Looks whether an exchange is still there, makes it again if not, and binds the queue to it: a binding can't be asked
    /// for, and making it again changes nothing where it is there.
    pub(crate) async fn heal(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        let channel = connection.create_channel().await?;
        match Thing::Exchange(spec.domain).declare(&channel, true).await {
            Ok(()) => {}
            Err(error) if is(&error, NOT_FOUND) => {
                tracing::warn!(exchange = spec.domain, "the exchange is gone, making it again");
                self.exchange(connection, spec.domain).await?;
                return self.bind(connection, spec).await;
            }
            Err(error) => return Err(error),
        }
        channel.close(200, "OK".into()).await?;
        self.bind(connection, spec).await
    }

    /// How many messages wait in a queue.
    pub(crate) async fn ready(&self, connection: &Connection, queue: &str) -> Result<u32, Error> {
        let channel = connection.create_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await?;
        channel.close(200, "OK".into()).await?;
        Ok(declared.message_count())
    }

    async fn bind(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        let channel = connection.create_channel().await?;
        let (queue, exchange, key) = (spec.name.as_str(), spec.domain, spec.event_type);
        let options = QueueBindOptions::default();
        channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await?;
        channel.close(200, "OK".into()).await
    }

    /// A declare that fails closes its channel, so each has one of its own.
    async fn made_or_adopted(&self, connection: &Connection, thing: Thing<'_>) -> Result<(), Error> {
        let channel = connection.create_channel().await?;
        let error = match thing.declare(&channel, false).await {
            Ok(()) => return channel.close(200, "OK".into()).await,
            // It is there with other arguments, or this user may use it but not make it.
            Err(error) if is(&error, PRECONDITION_FAILED) || is(&error, ACCESS_REFUSED) => error,
            Err(error) => return Err(error),
        };
        let channel = connection.create_channel().await?;
        if thing.declare(&channel, true).await.is_err() {
            return Err(error);
        }
        let (what, name) = match thing {
            Thing::Exchange(name) => ("exchange", name),
            Thing::Queue(name, _) | Thing::Single(name, _) | Thing::Retry(name, ..) => ("queue", name),
        };
        let first = self.adopted.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{what} {name}"));
        if first {
            tracing::warn!(what, name, error = %error, "is there already and is used as it is");
        }
        channel.close(200, "OK".into()).await
    }
}
