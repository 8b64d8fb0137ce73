//! The RabbitMQ transport: one connection to publish, one to consume, each rebuilt with all that hangs on it after any loss.

mod connection;
mod consumer;
mod dead;
mod dial;
mod gate;
mod publisher;
mod settle;
mod sieve;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use self::connection::Link;
use self::gate::Gate;
use self::publisher::Publisher;
use self::topology::Topology;
use super::state::{BusState, Line, LinkState, States, states};
use super::{Address, BoxFuture, Outgoing, QueueSpec, Subscription, Transport, Unpublished};
use crate::config::Config;
use crate::dead::{Decide, Sorted};
use crate::error::Error;
use crate::park::{DeadLetter, Header, Named};

/// RabbitMQ. It never uses lapin's own recovery, which can hang for good without a word.
#[derive(Debug)]
pub(crate) struct Amqp {
    publish: Arc<Link>,
    consume: Arc<Link>,
    topology: Arc<Topology>,
    states: States,
    events: Publisher,
    dead: Publisher,
    connect_deadline: Duration,
    app_id: Arc<str>,
    /// Every publish goes through, so that closing can wait for them.
    gate: Gate,
}

impl Amqp {
    pub(crate) async fn connect(config: Config) -> Result<Self, Error> {
        if ShortString::try_new(config.vhost.as_str()).is_err() {
            let why = "a virtual host's name has at most 255 bytes".to_owned();
            return Err(Error::Connect { address: config.address(), user: config.user, why });
        }
        let config = Arc::new(config);
        let states = states(LinkState::Closed);
        let line = |part: fn(&mut BusState) -> &mut LinkState| Line { states: states.clone(), part };
        let publish = Link::open(config.clone(), "publish", line(|all| &mut all.publish)).await?;
        let consume = Link::open(config.clone(), "consume", line(|all| &mut all.consume)).await?;
        let topology = Arc::new(Topology::default());
        Ok(Self {
            events: Publisher::spawn(publish.clone(), topology.clone(), publisher::Window::Open),
            dead: Publisher::spawn(publish.clone(), topology.clone(), publisher::Window::Mandatory),
            publish,
            consume,
            topology,
            states,
            connect_deadline: config.connect_deadline,
            app_id: config.app_id.as_str().into(),
            gate: Gate::default(),
        })
    }
}

impl Transport for Amqp {
    fn publish(self: Arc<Self>, message: Outgoing, deadline: Instant) -> BoxFuture<'static, Result<(), Unpublished>> {
        Box::pin(async move {
            let Some(_inside) = self.gate.enter() else {
                return Err(Unpublished { maybe_sent: false, why: "the bus is closed".to_owned(), closed: true });
            };
            let publisher = if matches!(message.to, Address::Event { .. }) { &self.events } else { &self.dead };
            publisher.publish(message, deadline, &self.publish).await
        })
    }

    fn subscribe(&self, queue: Arc<QueueSpec>) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move {
            if self.gate.is_closed() {
                return Err(Error::Closed);
            }
            consumer::subscribe(self.consume.clone(), self.topology.clone(), queue, self.connect_deadline).await
        })
    }

    fn dead_letters(&self, dead_queue: String, limit: usize) -> BoxFuture<'_, Result<Vec<DeadLetter>, Error>> {
        Box::pin(async move {
            let why = match timeout(self.connect_deadline, self.peek(&dead_queue, limit)).await {
                Ok(Ok(letters)) => return Ok(letters),
                Ok(Err(why)) => why,
                Err(_) => self.consume.trouble(),
            };
            Err(Error::DeadLetters { queue: dead_queue, why })
        })
    }

    fn count_dead(&self, dead_queue: String) -> BoxFuture<'_, Result<usize, Error>> {
        Box::pin(async move {
            let why = match timeout(self.connect_deadline, self.count(&dead_queue)).await {
                Ok(Ok(count)) => return Ok(count),
                Ok(Err(why)) => why,
                Err(_) => self.consume.trouble(),
            };
            Err(Error::DeadLetters { queue: dead_queue, why })
        })
    }

    fn sort_dead<'a>(
        &'a self,
        dead_queue: String,
        back: String,
        decide: Decide<'a>,
    ) -> BoxFuture<'a, Result<Sorted, Error>> {
        Box::pin(async move {
            let sorted = self.sort(&dead_queue, &back, decide).await;
            sorted.map_err(|why| Error::DeadLetters { queue: dead_queue, why })
        })
    }

    fn state(&self) -> watch::Receiver<BusState> {
        self.states.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // Every publish has a deadline, so this doesn't wait for ever.
            self.gate.close().await;
            self.consume.close().await;
            self.publish.close().await;
        })
    }
}

/// A message's id. One that was no UTF-8 is no identity any more.
fn message_id(properties: &BasicProperties) -> Option<String> {
    let id = properties.message_id().as_ref().map(|id| id.as_str());
    id.filter(|id| !id.contains(char::from(sieve::REPLACEMENT))).map(ToOwned::to_owned)
}

/// What lapin says of an error. It never holds a password: those are only in what is sent.
fn said(error: lapin::Error) -> String {
    error.to_string()
}

fn write_headers(headers: &[Named]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        let value = match value {
            Header::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Header::Number(number) => AMQPValue::LongLongInt(*number),
            Header::Flag(flag) => AMQPValue::Boolean(*flag),
        };
        table.insert((&**name).into(), value);
    }
    table
}

/// The headers that are texts, whole numbers, or true or false.
fn read_headers(table: Option<&FieldTable>) -> Vec<(String, Header)> {
    let read = |value: &AMQPValue| {
        Some(match value {
            AMQPValue::LongString(text) => Header::Text(String::from_utf8_lossy(text.as_bytes()).into_owned()),
            AMQPValue::LongLongInt(number) => Header::Number(*number),
            AMQPValue::LongInt(number) => Header::Number((*number).into()),
            AMQPValue::LongUInt(number) => Header::Number((*number).into()),
            AMQPValue::ShortInt(number) => Header::Number((*number).into()),
            AMQPValue::ShortShortInt(number) => Header::Number((*number).into()),
            AMQPValue::Boolean(flag) => Header::Flag(*flag),
            _ => return None,
        })
    };
    let entries = table.into_iter().flat_map(|table| table.inner());
    entries.filter_map(|(name, value)| Some((name.as_str().to_owned(), read(value)?))).collect()
}
