//! Channels for messages of which it isn't known whether the broker takes them.
//!
//! A broker that refuses a message closes its channel, and with it goes what it knows of all other messages on that channel.
//! So the first message to an exchange or queue, and one that is larger than any before, has a channel to itself until it is
//! confirmed: if that channel ends, it is certain which message was refused, and no other is concerned.
//!
//! A channel whose message a queue has refused (`basic.nack`) is closed: it may go on refusing for that queue
//! (see [`nacks`](super::nacks)).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::Channel;
use lapin::options::ConfirmSelectOptions;

use super::attempt::{Kind, Message, Problem};
use super::refusal::{self, Refusal};
use super::route::Proven;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::io::demux::{self, Ear};
use crate::transport::amqp::io::frame::Publish;
use crate::transport::amqp::io::stream::Trunk;

/// How much of a body is written before others on the connection have their turn.
const PIECE: usize = 256 * 1024;

/// The channels of one connection, and what it has taught of the broker.
#[derive(Debug, Default)]
pub(crate) struct Trials {
    channels: Mutex<Vec<Arc<Trial>>>,
    /// The most bytes that the broker takes; 0 as long as that isn't known.
    most: AtomicUsize,
}

impl Trials {
    /// The most bytes that the broker is known to take, once it has refused a larger message.
    pub(crate) fn most(&self) -> Option<usize> {
        Some(self.most.load(Ordering::Relaxed)).filter(|most| *most > 0)
    }

    pub(crate) fn learn(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// A channel that no message is on.
    pub(crate) async fn open(self: &Arc<Self>, connection: &Connected) -> Result<Arc<Trial>, lapin::Error> {
        match self.free() {
            Some(free) => Ok(free),
            None => self.open_new(connection).await,
        }
    }

    /// A channel that no message was ever on, instead of those that are free.
    pub(crate) async fn open_new(self: &Arc<Self>, connection: &Connected) -> Result<Arc<Trial>, lapin::Error> {
        while let Some(free) = self.free() {
            free.leave();
        }
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let trial = Arc::new(Trial {
            trunk: connection.trunk.clone(),
            frame_max: connection.frame_max(),
            state: Mutex::new(State::Taken),
            trials: Arc::downgrade(self),
            channel,
        });
        trial.trunk.listen(trial.channel.id(), trial.clone());
        lock(&self.channels).push(trial.clone());
        Ok(trial)
    }

    fn free(&self) -> Option<Arc<Trial>> {
        let mut channels = lock(&self.channels);
        channels.retain(|trial| !matches!(*lock(&trial.state), State::Ended(_)));
        let free = channels.iter().find(|trial| {
            let mut state = lock(&trial.state);
            let free = matches!(*state, State::Free);
            if free {
                *state = State::Taken;
            }
            free
        });
        free.cloned()
    }
}

/// A channel that has one message at a time.
pub(crate) struct Trial {
    trunk: Arc<Trunk>,
    channel: Channel,
    frame_max: usize,
    state: Mutex<State>,
    trials: std::sync::Weak<Trials>,
}

enum State {
    Free,
    /// For a message that isn't written yet.
    Taken,
    Unconfirmed(Arc<Message>, Arc<Proven>),
    Ended(Problem),
}

impl Trial {
    /// Publishes the message, whose answer comes by itself. Resolves when the broker has taken or refused it, which may be
    /// long before its queues confirm it; what it has taken is proven then.
    pub(crate) async fn publish(&self, message: &Arc<Message>, publish: &Publish<'_>, proven: &Arc<Proven>) {
        self.trunk.room().await;
        {
            let mut state = lock(&self.state);
            if let State::Ended(problem) = &*state {
                return message.answer(Err(problem.clone()));
            }
            if !message.begin() {
                *state = State::Free;
                return;
            }
            *state = State::Unconfirmed(message.clone(), proven.clone());
        }
        let (first, mut rest) = publish.body.split_at(publish.body.len().min(PIECE));
        self.trunk.add(|out| {
            publish.write_head(self.channel.id(), self.frame_max, out);
            publish.write_part(self.channel.id(), self.frame_max, first, out);
        });
        self.trunk.flush();
        while !rest.is_empty() {
            tokio::task::yield_now().await;
            self.trunk.room().await;
            let part;
            (part, rest) = rest.split_at(rest.len().min(PIECE));
            self.trunk.add(|out| publish.write_part(self.channel.id(), self.frame_max, part, out));
            self.trunk.flush();
        }
        // Changes nothing, but its answer comes behind what the broker makes of the message.
        let taken = self.channel.confirm_select(ConfirmSelectOptions::default()).await.is_ok();
        if taken
            && let State::Unconfirmed(unconfirmed, _) = &*lock(&self.state)
            && Arc::ptr_eq(unconfirmed, message)
            && !message.was_returned()
        {
            proven.add(&message.outgoing);
        }
    }
}

impl Trial {
    /// Closes the channel, which has nothing unconfirmed.
    fn leave(&self) {
        *lock(&self.state) = State::Ended(Problem::unanswered("the channel is closed"));
        tokio::spawn(close(self.trunk.clone(), self.channel.clone()));
    }
}

impl Ear for Trial {
    /// The channel has no other message.
    fn returned(&self, _: demux::Message) {
        if let State::Unconfirmed(message, proven) = &*lock(&self.state) {
            // the route that it was known to have is gone
            proven.forget_routes();
            message.returned();
        }
    }

    fn confirmed(&self, _: u64, _: bool, ack: bool) {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Taken) {
            State::Unconfirmed(message, proven) => {
                // First, so that the next message of who waits for this one finds it.
                if !message.was_returned() {
                    proven.add(&message.outgoing);
                }
                if ack {
                    *state = State::Free;
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
        let problem = Problem::unanswered(why);
        let ended = std::mem::replace(&mut *lock(&self.state), State::Ended(problem));
        let State::Unconfirmed(message, proven) = ended else { return };
        let kind = match Refusal::read(code, why, message.outgoing.body.len()) {
            Some(refusal) => Kind::Refused(refusal),
            // It is made sure of before the next try.
            None if refusal::is_gone(code) => {
                proven.forget_routes();
                Kind::Unrouted
            }
            None => Kind::Unanswered,
        };
        if let (Kind::Refused(Refusal::LargerThan(most)), Some(trials)) = (&kind, self.trials.upgrade()) {
            trials.learn(*most);
        }
        message.answer(Err(Problem { why: refusal::advice(code, why), kind }));
    }
}

/// Closes a channel with nothing unconfirmed on it.
pub(super) async fn close(trunk: Arc<Trunk>, channel: Channel) {
    trunk.forget(channel.id());
    if let Err(error) = channel.close(200, "OK".into()).await {
        tracing::debug!(%error, "a channel that was to be closed has ended");
    }
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("channel", &self.channel.id()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
