//! A channel in confirm mode, with its unconfirmed messages.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lapin::Channel;
use lapin::options::ConfirmSelectOptions;
use tokio::sync::{Notify, OwnedMutexGuard, watch};

use super::attempt::{PendingMessage, PublishError, PublishErrorKind};
use super::nacks::Nacks;
use super::probe::{self, ProbeChannel, ProbeChannels};
use super::refusal::{self, Refusal};
use super::route::{AcceptedRoutes, AmqpRoute, Untested};
use super::unconfirmed::{ReturnKey, Unconfirmed};
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::topology::Topology;
use crate::transport::amqp::error::describe;
use crate::transport::amqp::error::is_permanent;
use crate::transport::amqp::io::demux::{self, FrameHandler};
use crate::transport::amqp::io::stream::AmqpStream;
use crate::transport::{Outgoing, PublishTarget};

/// The number of unconfirmed messages from which on writes are batched: a system call per message would cost more than
/// everything else. With fewer, each message is written immediately.
const BUSY: usize = 8;

/// A channel in confirm mode whose messages bypass lapin. It carries only messages that the broker is known to accept; others
/// use a [`ProbeChannel`] first.
pub(crate) struct ConfirmChannel {
    stream: Arc<AmqpStream>,
    /// Dropping the handle closes the channel.
    channel: Channel,
    frame_max: usize,
    pending: Mutex<PendingConfirms>,
    ended: watch::Sender<bool>,
    /// Notified when a new channel has accepted a message of a route that this one refuses.
    stale: Notify,
    /// Notified when a closing channel has no unconfirmed messages.
    idle: Notify,
    accepted: Arc<AcceptedRoutes>,
    probes: Arc<ProbeChannels>,
    /// One message at a time probes a new route, and one a new size; the others wait for the result.
    new_route: Turns,
    new_size: Turns,
    /// Serializes messages with the same key, so that they don't open a channel each.
    duplicates: Turns,
}

type Turns = Arc<tokio::sync::Mutex<()>>;

#[derive(Default)]
struct PendingConfirms {
    unconfirmed: Unconfirmed,
    nacks: Nacks,
    ended: Option<PublishError>,
    /// Whether the channel is closing.
    leaving: bool,
}

/// The outcome of writing a message.
enum WriteOutcome {
    Written,
    /// Not written: a message with the same key is unconfirmed.
    Duplicate,
    /// Not written: the channel nacked this route repeatedly, and a new channel may accept it.
    Nacked,
}

impl ConfirmChannel {
    /// Opens a channel in confirm mode.
    pub(crate) async fn open(connection: &Connected, probes: Arc<ProbeChannels>) -> Result<Arc<Self>, lapin::Error> {
        Self::open_with(connection, probes, Arc::default()).await
    }

    /// Opens a channel that replaces this one.
    pub(crate) async fn renewed(&self, connection: &Connected) -> Result<Arc<Self>, lapin::Error> {
        Self::open_with(connection, self.probes.clone(), self.accepted.clone()).await
    }

    async fn open_with(
        connection: &Connected,
        probes: Arc<ProbeChannels>,
        accepted: Arc<AcceptedRoutes>,
    ) -> Result<Arc<Self>, lapin::Error> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let confirm_channel = Arc::new(Self {
            stream: connection.stream.clone(),
            frame_max: connection.frame_max(),
            pending: Mutex::default(),
            ended: watch::Sender::new(false),
            stale: Notify::new(),
            idle: Notify::new(),
            accepted,
            probes,
            new_route: Arc::default(),
            new_size: Arc::default(),
            duplicates: Arc::default(),
            channel,
        });
        confirm_channel.stream.listen(confirm_channel.channel.id(), confirm_channel.clone());
        Ok(confirm_channel)
    }

    /// Resolves when the channel has ended.
    pub(crate) async fn over(&self) {
        // an error is impossible: `self` holds the sender
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Resolves when a new channel has accepted a message of a route that this one refuses.
    pub(crate) async fn stale(&self) {
        self.stale.notified().await;
    }

    /// Closes the channel once all its messages are confirmed.
    pub(crate) async fn leave(self: Arc<Self>) {
        loop {
            {
                let mut pending = lock(&self.pending);
                if pending.ended.is_some() {
                    return;
                }
                pending.leaving = true;
                if pending.unconfirmed.count() == 0 {
                    // remaining users publish on the new channel
                    pending.ended = Some(PublishError::unanswered("the channel is closed: a new one is used"));
                    break;
                }
            }
            self.idle.notified().await;
        }
        probe::close(self.stream.clone(), self.channel.clone()).await;
    }

    /// Returns the broker's limit for a body in bytes, if it is known.
    pub(crate) fn size_limit(&self) -> Option<usize> {
        self.probes.size_limit()
    }

    /// Makes one attempt to publish; resolves with the broker's confirm.
    pub(crate) async fn publish(
        self: &Arc<Self>,
        message: &Arc<PendingMessage>,
        topology: &Arc<Topology>,
        connection: &Arc<Connected>,
    ) -> Result<(), PublishError> {
        let outgoing = &message.outgoing;
        self.check_limit(outgoing)?;
        let route = AmqpRoute::of(&outgoing.to);
        if !route.publish(outgoing).fits(self.frame_max) {
            return Err(PublishError::refused(format!(
                "the attributes of the CloudEvent leave no room for the other headers in a frame of {} bytes",
                self.frame_max
            )));
        }
        let untested = || self.accepted.untested(&route, outgoing.body.len());
        if let Some(new) = untested() {
            let turns = match new {
                Untested::Route => &self.new_route,
                Untested::Size => &self.new_size,
            };
            let turn = turns.clone().lock_owned().await;
            // another probe may have finished meanwhile
            self.check_limit(outgoing)?;
            if untested().is_some() {
                self.spawn_probe(message, topology, connection, turn);
                return message.answered().await;
            }
        }
        self.stream.room().await;
        match self.write(message, &route)? {
            WriteOutcome::Written => {}
            WriteOutcome::Duplicate => {
                let turn = self.duplicates.clone().lock_owned().await;
                self.spawn_probe(message, topology, connection, turn);
            }
            WriteOutcome::Nacked => return self.publish_on_new_channel(message, connection).await,
        }
        message.answered().await
    }

    /// Publishes a message on a new channel, to find out whether only this channel refuses messages of its route.
    async fn publish_on_new_channel(
        &self,
        message: &Arc<PendingMessage>,
        connection: &Arc<Connected>,
    ) -> Result<(), PublishError> {
        let (sent, connection) = (message.clone(), connection.clone());
        let (probes, accepted) = (self.probes.clone(), self.accepted.clone());
        // a separate task, as in `spawn_probe`
        tokio::spawn(async move {
            match probes.open_new(&connection).await {
                Ok(probe) => {
                    let route = AmqpRoute::of(&sent.outgoing.to);
                    probe.publish(&sent, &route.publish(&sent.outgoing), &accepted).await;
                }
                Err(error) => sent.answer(Err(PublishError::unanswered(describe(error)))),
            }
        });
        message.answered().await?;
        tracing::debug!(
            "the broker confirmed a message on a new channel that it had refused on this one: the new channel replaces this one"
        );
        self.stale.notify_one();
        Ok(())
    }

    /// Publishes a message on a probe channel in a separate task, which finishes even if the caller is dropped.
    fn spawn_probe(
        self: &Arc<Self>,
        message: &Arc<PendingMessage>,
        topology: &Arc<Topology>,
        connection: &Arc<Connected>,
        turn: OwnedMutexGuard<()>,
    ) {
        tokio::spawn(self.clone().run_probe(message.clone(), topology.clone(), connection.clone(), turn));
    }

    /// Refuses a message above the broker's known limit.
    fn check_limit(&self, message: &Outgoing) -> Result<(), PublishError> {
        let bytes = message.body.len();
        match self.size_limit() {
            Some(most) if bytes > most => {
                Err(too_large(format!("the message has {bytes} bytes, RabbitMQ accepts at most {most}"), most))
            }
            _ => Ok(()),
        }
    }

    /// Publishes a message on a probe channel. The caller receives the result through `message`.
    async fn run_probe(
        self: Arc<Self>,
        message: Arc<PendingMessage>,
        topology: Arc<Topology>,
        connection: Arc<Connected>,
        turn: OwnedMutexGuard<()>,
    ) {
        let route = AmqpRoute::of(&message.outgoing.to);
        match self.open_probe(&route, &message.outgoing, &topology, &connection).await {
            Ok(probe) => {
                probe.publish(&message, &route.publish(&message.outgoing), &self.accepted).await;
            }
            Err(problem) => message.answer(Err(problem)),
        }
        drop(turn);
    }

    /// Ensures that the exchange or queue exists, and returns a probe channel.
    async fn open_probe(
        &self,
        route: &AmqpRoute<'_>,
        message: &Outgoing,
        topology: &Topology,
        connection: &Connected,
    ) -> Result<Arc<ProbeChannel>, PublishError> {
        let made = match &message.to {
            _ if self.accepted.has(route) => Ok(()),
            PublishTarget::Event { domain, .. } => topology.exchange(connection, domain).await,
            PublishTarget::Dead(queue) => topology.queue(connection, &queue.dead, queue.kind).await,
            PublishTarget::Retry(queue, pause) => topology.retry(connection, queue, *pause).await,
            PublishTarget::Back(_) => Ok(()),
        };
        made.map_err(|error| match is_permanent(&error) {
            true => PublishError::refused(describe(error)),
            false => PublishError::unanswered(describe(error)),
        })?;
        self.probes.open(connection).await.map_err(|error| PublishError::unanswered(describe(error)))
    }

    fn write(&self, message: &Arc<PendingMessage>, route: &AmqpRoute<'_>) -> Result<WriteOutcome, PublishError> {
        let publish = route.publish(&message.outgoing);
        let identity = ReturnKey::of(&publish);
        let mut pending = lock(&self.pending);
        if let Some(problem) = &pending.ended {
            return Err(problem.clone());
        }
        if pending.nacks.take_turn(route, Instant::now) {
            return Ok(WriteOutcome::Nacked);
        }
        if identity.as_deref().is_some_and(|identity| pending.unconfirmed.has(identity)) {
            return Ok(WriteOutcome::Duplicate);
        }
        if !message.begin() {
            return Err(PublishError::unanswered("the caller has given up"));
        }
        pending.unconfirmed.add(message.clone(), identity);
        let at_once = pending.unconfirmed.count() < BUSY;
        // write under the lock, so that messages are written in the order of their publish numbers
        self.stream.add(|out| publish.write(self.channel.id(), self.frame_max, out));
        drop(pending);
        if at_once {
            self.stream.flush()
        } else {
            self.stream.flush_soon()
        }
        Ok(WriteOutcome::Written)
    }
}

impl FrameHandler for ConfirmChannel {
    fn returned(&self, returned: demux::BrokerMessage) {
        if lock(&self.pending).unconfirmed.returned(&returned).is_some_and(|message| message.returned()) {
            // the next message declares the exchange again
            self.accepted.forget_routes();
        }
    }

    fn confirmed(&self, tag: u64, multiple: bool, ack: bool) {
        let mut pending = lock(&self.pending);
        let PendingConfirms { unconfirmed, nacks, leaving, .. } = &mut *pending;
        unconfirmed.confirmed(tag, multiple, |message| {
            nacks.note(&AmqpRoute::of(&message.outgoing.to), ack);
            message.confirmed(ack);
        });
        if *leaving && unconfirmed.count() == 0 {
            self.idle.notify_one();
        }
    }

    /// Ends the attempts of the unconfirmed messages. Their callers publish them again, except messages above the size limit.
    fn ended(&self, code: Option<u16>, why: &str) {
        let messages = {
            let mut pending = lock(&self.pending);
            pending.ended.get_or_insert_with(|| PublishError::unanswered(why));
            pending.unconfirmed.take()
        };
        if refusal::is_gone(code) {
            tracing::warn!(error = why, "an exchange is gone, declaring it again");
        }
        let most = refusal::size_limit(code, why);
        if let Some(most) = most {
            self.probes.set_size_limit(most);
        }
        for message in messages {
            message.answer(Err(match most {
                Some(most) if message.outgoing.body.len() > most => too_large(why, most),
                _ => PublishError::unanswered(why),
            }));
        }
        self.ended.send_replace(true);
        self.idle.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_large(why: impl Into<String>, most: usize) -> PublishError {
    PublishError { why: why.into(), kind: PublishErrorKind::Refused(Refusal::LargerThan(most)) }
}
