//! Probe channels, for messages that the broker may refuse.
//!
//! A broker refuses a message by closing its channel, and the state of all other messages on that channel is lost. Therefore
//! the first message of a route, and a message larger than all earlier ones, gets its own channel until it is confirmed: if that
//! channel ends, it is certain which message was refused, and no other message is affected.
//!
//! A probe channel is closed after a `basic.nack`: it may keep sending nacks for that queue (see [`nacks`](super::nacks)).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::Channel;
use lapin::options::ConfirmSelectOptions;

use super::attempt::{PendingMessage, PublishError, PublishErrorKind};
use super::refusal::{self, Refusal};
use super::route::AcceptedRoutes;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::io::demux::{self, FrameHandler};
use crate::transport::amqp::io::frame::Publish;
use crate::transport::amqp::io::stream::AmqpStream;

/// The number of bytes of a body that are written before other channels get their turn.
const PIECE: usize = 256 * 1024;

/// The probe channels of one connection, and the broker's size limit.
#[derive(Default)]
pub(crate) struct ProbeChannels {
    channels: Mutex<Vec<Arc<ProbeChannel>>>,
    /// The broker's limit for a body in bytes; 0 if it isn't known.
    size_limit: AtomicUsize,
}

impl ProbeChannels {
    /// Returns the broker's limit in bytes, once it has refused a larger message.
    pub(crate) fn size_limit(&self) -> Option<usize> {
        Some(self.size_limit.load(Ordering::Relaxed)).filter(|most| *most > 0)
    }

    pub(crate) fn set_size_limit(&self, most: usize) {
        self.size_limit.store(most, Ordering::Relaxed);
    }

    /// Returns an idle probe channel, or opens one.
    pub(crate) async fn open(self: &Arc<Self>, connection: &Connected) -> Result<Arc<ProbeChannel>, lapin::Error> {
        match self.free() {
            Some(free) => Ok(free),
            None => self.open_new(connection).await,
        }
    }

    /// Opens a new probe channel, and closes the idle ones.
    pub(crate) async fn open_new(self: &Arc<Self>, connection: &Connected) -> Result<Arc<ProbeChannel>, lapin::Error> {
        while let Some(free) = self.free() {
            free.leave();
        }
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let probe = Arc::new(ProbeChannel {
            stream: connection.stream.clone(),
            frame_max: connection.frame_max(),
            state: Mutex::new(ProbeState::Reserved),
            probes: Arc::downgrade(self),
            channel,
        });
        probe.stream.listen(probe.channel.id(), probe.clone());
        lock(&self.channels).push(probe.clone());
        Ok(probe)
    }

    fn free(&self) -> Option<Arc<ProbeChannel>> {
        let mut channels = lock(&self.channels);
        channels.retain(|probe| !matches!(*lock(&probe.state), ProbeState::Ended(_)));
        let free = channels.iter().find(|probe| {
            let mut state = lock(&probe.state);
            let free = matches!(*state, ProbeState::Free);
            if free {
                *state = ProbeState::Reserved;
            }
            free
        });
        free.cloned()
    }
}

/// A channel for one message at a time.
pub(crate) struct ProbeChannel {
    stream: Arc<AmqpStream>,
    channel: Channel,
    frame_max: usize,
    state: Mutex<ProbeState>,
    probes: std::sync::Weak<ProbeChannels>,
}

enum ProbeState {
    Free,
    /// Reserved for a message that isn't written yet.
    Reserved,
    Unconfirmed(Arc<PendingMessage>, Arc<AcceptedRoutes>),
    Ended(PublishError),
}

impl ProbeChannel {
    /// Publishes the message, whose attempt ends separately with the confirm. Resolves when the broker has accepted or refused
    /// it, which may be long before its queues confirm it; an accepted route and size are recorded.
    pub(crate) async fn publish(
        &self,
        message: &Arc<PendingMessage>,
        publish: &Publish<'_>,
        accepted: &Arc<AcceptedRoutes>,
    ) {
        self.stream.room().await;
        {
            let mut state = lock(&self.state);
            if let ProbeState::Ended(problem) = &*state {
                return message.answer(Err(problem.clone()));
            }
            if !message.begin() {
                *state = ProbeState::Free;
                return;
            }
            *state = ProbeState::Unconfirmed(message.clone(), accepted.clone());
        }
        let (first, mut rest) = publish.body.split_at(publish.body.len().min(PIECE));
        self.stream.add(|out| {
            publish.write_head(self.channel.id(), self.frame_max, out);
            publish.write_part(self.channel.id(), self.frame_max, first, out);
        });
        self.stream.flush();
        while !rest.is_empty() {
            tokio::task::yield_now().await;
            self.stream.room().await;
            let part;
            (part, rest) = rest.split_at(rest.len().min(PIECE));
            self.stream.add(|out| publish.write_part(self.channel.id(), self.frame_max, part, out));
            self.stream.flush();
        }
        // a no-op whose answer arrives after the broker has processed the message
        let taken = self.channel.confirm_select(ConfirmSelectOptions::default()).await.is_ok();
        if taken
            && let ProbeState::Unconfirmed(unconfirmed, _) = &*lock(&self.state)
            && Arc::ptr_eq(unconfirmed, message)
            && !message.was_returned()
        {
            accepted.add(&message.outgoing);
        }
    }
}

impl ProbeChannel {
    /// Closes the channel, which must be idle.
    fn leave(&self) {
        *lock(&self.state) = ProbeState::Ended(PublishError::unanswered("the channel is closed"));
        tokio::spawn(close(self.stream.clone(), self.channel.clone()));
    }
}

impl FrameHandler for ProbeChannel {
    /// Handles the return of the only message that the channel has.
    fn returned(&self, _: demux::BrokerMessage) {
        if let ProbeState::Unconfirmed(message, accepted) = &*lock(&self.state) {
            // the route no longer exists
            accepted.forget_routes();
            message.returned();
        }
    }

    fn confirmed(&self, _: u64, _: bool, ack: bool) {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, ProbeState::Reserved) {
            ProbeState::Unconfirmed(message, accepted) => {
                // update the accepted routes before the caller is woken, so that its next message finds the route accepted
                if !message.was_returned() {
                    accepted.add(&message.outgoing);
                }
                if ack {
                    *state = ProbeState::Free;
                } else {
                    drop(state);
                    self.leave();
                }
                message.confirmed(ack);
            }
            other => *state = other,
        }
    }

    fn ended(&self, code: Option<u16>, why: &str) {
        let problem = PublishError::unanswered(why);
        let ended = std::mem::replace(&mut *lock(&self.state), ProbeState::Ended(problem));
        let ProbeState::Unconfirmed(message, accepted) = ended else { return };
        let kind = match Refusal::read(code, why, message.outgoing.body.len()) {
            Some(refusal) => PublishErrorKind::Refused(refusal),
            // the next attempt declares the exchange again
            None if refusal::is_gone(code) => {
                accepted.forget_routes();
                PublishErrorKind::Unrouted
            }
            None => PublishErrorKind::Unanswered,
        };
        if let (PublishErrorKind::Refused(Refusal::LargerThan(most)), Some(probes)) = (&kind, self.probes.upgrade()) {
            probes.set_size_limit(*most);
        }
        message.answer(Err(PublishError { why: refusal::advice(code, why), kind }));
    }
}

/// Closes a channel without unconfirmed messages.
pub(super) async fn close(stream: Arc<AmqpStream>, channel: Channel) {
    stream.forget(channel.id());
    if let Err(error) = channel.close(200, "OK".into()).await {
        tracing::debug!(%error, "a channel ended before it was closed");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
