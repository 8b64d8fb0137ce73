//! The RabbitMQ transport: one connection to publish and one to consume, each restored with its channels after a failure. Dead
//! letters are read over a separate connection, because RabbitMQ may end it.

pub(crate) mod connect;
pub(crate) mod consume;
pub(crate) mod error;
pub(crate) mod io;
pub(crate) mod publish;

use std::fmt;
use std::sync::Arc;

use lapin::types::ShortString;
use tokio::sync::watch;
use tokio::time::Instant;

use super::amqp::connect::connection::AmqpLink;
use super::amqp::connect::topology::Topology;
use super::amqp::publish::in_flight::InFlight;
use super::amqp::publish::publisher::Publisher;
use super::state::{BusState, BusStateSender, LinkState, LinkStateSender, bus_state};
use super::{Outgoing, QueueSpec, Subscription, Transport, Unpublished};
use crate::bus::config::Config;
use crate::bus::error::Error;
use crate::dead_letter::letter::DeadLetter;
use crate::dead_letter::triage::{Decide, Sorted};
use crate::future::BoxFuture;

/// The RabbitMQ transport. It doesn't use lapin's own recovery, which can hang for ever.
pub(crate) struct Amqp {
    publish: Arc<AmqpLink>,
    consume: Arc<AmqpLink>,
    topology: Arc<Topology>,
    bus_state: BusStateSender,
    publisher: Publisher,
    config: Arc<Config>,
    app_id: Arc<str>,
    /// Counts the publishes in flight, so that closing can wait for them.
    in_flight: InFlight,
}

impl Amqp {
    pub(crate) async fn connect(config: Config) -> Result<Self, Error> {
        if ShortString::try_new(config.vhost.as_str()).is_err() {
            let why = "a virtual host's name has at most 255 bytes".to_owned();
            return Err(Error::Connect { address: config.address(), user: config.user, why });
        }
        let config = Arc::new(config);
        let bus_state = bus_state(LinkState::Closed);
        let line = |part: fn(&mut BusState) -> &mut LinkState| LinkStateSender { bus_state: bus_state.clone(), part };
        let publish = AmqpLink::open(config.clone(), "publish", line(|all| &mut all.publish)).await?;
        let consume = AmqpLink::open(config.clone(), "consume", line(|all| &mut all.consume)).await?;
        let topology = Arc::new(Topology::of(&config.vhost));
        Ok(Self {
            publisher: Publisher::spawn(publish.clone(), topology.clone(), &config.user),
            publish,
            consume,
            topology,
            bus_state,
            app_id: config.app_id.as_str().into(),
            config,
            in_flight: InFlight::default(),
        })
    }
}

impl fmt::Debug for Amqp {
    /// Formats the transport without its configuration, which has a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Amqp").field("publish", &self.publish).field("consume", &self.consume).finish_non_exhaustive()
    }
}

impl Transport for Amqp {
    fn system(&self) -> &'static str {
        "rabbitmq"
    }

    fn publish(self: Arc<Self>, message: Outgoing, deadline: Instant) -> BoxFuture<'static, Result<(), Unpublished>> {
        Box::pin(async move {
            let Some(_inside) = self.in_flight.enter() else {
                return Err(Unpublished::closed());
            };
            self.publisher.publish(message, deadline).await
        })
    }

    fn size_limit(&self) -> Option<usize> {
        self.publisher.size_limit()
    }

    fn subscribe(&self, queue: Arc<QueueSpec>) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move {
            if self.in_flight.is_closed() {
                return Err(Error::Closed);
            }
            consume::consumer::subscribe(
                self.consume.clone(),
                self.topology.clone(),
                queue,
                self.config.connect_deadline,
            )
            .await
        })
    }

    fn dead_letters(&self, dead_queue: String, limit: usize) -> BoxFuture<'_, Result<Vec<DeadLetter>, Error>> {
        Box::pin(async move {
            let letters = self.read_again(|| self.peek(&dead_queue, limit)).await;
            letters.map_err(|why| Error::DeadLetters { queue: dead_queue, why })
        })
    }

    fn count_dead(&self, dead_queue: String) -> BoxFuture<'_, Result<usize, Error>> {
        Box::pin(async move {
            let count = self.read_again(|| self.count(&dead_queue)).await;
            count.map_err(|why| Error::DeadLetters { queue: dead_queue, why })
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
            sorted.map_err(|unread| Error::DeadLetters { queue: dead_queue, why: unread.why() })
        })
    }

    fn state(&self) -> watch::Receiver<BusState> {
        self.bus_state.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // bounded: every publish has a deadline
            self.in_flight.close().await;
            self.consume.close().await;
            self.publish.close().await;
        })
    }
}
