//! A channel that messages are published on, and what the broker has not confirmed yet.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lapin::Channel;
use lapin::options::ConfirmSelectOptions;
use tokio::sync::{Notify, OwnedMutexGuard, watch};

use super::attempt::{Kind, Message, Problem};
use super::nacks::Nacks;
use super::refusal::{self, Refusal};
use super::route::{New, Proven, Route};
use super::trial::{self, Trial, Trials};
use super::unconfirmed::{Identity, Unconfirmed};
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::topology::Topology;
use crate::transport::amqp::error::is_permanent;
use crate::transport::amqp::error::said;
use crate::transport::amqp::io::demux::{self, Ear};
use crate::transport::amqp::io::stream::Trunk;
use crate::transport::{Address, Outgoing};

/// With so many unconfirmed, what is sent waits for what comes with it: a write for each would cost more than all the
/// rest. With fewer, each is written at once.
const BUSY: usize = 8;

/// A channel with confirms whose messages go past lapin. It has only messages that the broker is known to take; others have
/// a [`Trial`](crate::transport::amqp::publish::trial::Trial) first.
pub(crate) struct Outlet {
    trunk: Arc<Trunk>,
    /// Kept: it is closed when this is dropped.
    channel: Channel,
    frame_max: usize,
    pending: Mutex<Pending>,
    ended: watch::Sender<bool>,
    /// Raised when the channel refuses what a new one takes.
    stale: Notify,
    /// Raised when nothing is unconfirmed on a channel that is to be closed.
    idle: Notify,
    proven: Arc<Proven>,
    trials: Arc<Trials>,
    /// One message at a time tries a new route, and one a new size: the others then know.
    new_route: Turns,
    new_size: Turns,
    /// One at a time goes that looks like another, so that they don't take a channel each at once.
    twins: Turns,
}

type Turns = Arc<tokio::sync::Mutex<()>>;

#[derive(Default)]
struct Pending {
    unconfirmed: Unconfirmed,
    nacks: Nacks,
    ended: Option<Problem>,
    /// Whether it is to be closed.
    leaving: bool,
}

/// What became of a message that was to be written.
enum Put {
    Written,
    /// One that would look the same if it were returned is unconfirmed.
    Twin,
    /// The channel has refused its route again and again: a new one may take it.
    Nacked,
}

impl Outlet {
    /// Opens a channel with confirms.
    pub(crate) async fn open(connection: &Connected, trials: Arc<Trials>) -> Result<Arc<Self>, lapin::Error> {
        Self::open_with(connection, trials, Arc::default()).await
    }

    /// Opens a channel to be used instead of this one.
    pub(crate) async fn renewed(&self, connection: &Connected) -> Result<Arc<Self>, lapin::Error> {
        Self::open_with(connection, self.trials.clone(), self.proven.clone()).await
    }

    async fn open_with(
        connection: &Connected,
        trials: Arc<Trials>,
        proven: Arc<Proven>,
    ) -> Result<Arc<Self>, lapin::Error> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let outlet = Arc::new(Self {
            trunk: connection.trunk.clone(),
            frame_max: connection.frame_max(),
            pending: Mutex::default(),
            ended: watch::Sender::new(false),
            stale: Notify::new(),
            idle: Notify::new(),
            proven,
            trials,
            new_route: Arc::default(),
            new_size: Arc::default(),
            twins: Arc::default(),
            channel,
        });
        outlet.trunk.listen(outlet.channel.id(), outlet.clone());
        Ok(outlet)
    }

    /// Resolves when nothing can be published on it any more.
    pub(crate) async fn over(&self) {
        // It can't be closed while this is borrowed.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Resolves when a new channel is known to take what this one refuses.
    pub(crate) async fn stale(&self) {
        self.stale.notified().await;
    }

    /// Closes the channel once the broker has confirmed all that was published on it.
    pub(crate) async fn leave(self: Arc<Self>) {
        loop {
            {
                let mut pending = lock(&self.pending);
                if pending.ended.is_some() {
                    return;
                }
                pending.leaving = true;
                if pending.unconfirmed.count() == 0 {
                    // Who still has it sends its message on the new one.
                    pending.ended = Some(Problem::unanswered("the channel is closed, and a new one is used"));
                    break;
                }
            }
            self.idle.notified().await;
        }
        trial::close(self.trunk.clone(), self.channel.clone()).await;
    }

    /// The most bytes that the broker is known to take.
    pub(crate) fn most(&self) -> Option<usize> {
        self.trials.most()
    }

    /// Publishes once; resolves with the broker's confirm.
    pub(crate) async fn publish(
        self: &Arc<Self>,
        message: &Arc<Message>,
        topology: &Arc<Topology>,
        connection: &Arc<Connected>,
    ) -> Result<(), Problem> {
        let outgoing = &message.outgoing;
        self.hold_to_limit(outgoing)?;
        let route = Route::of(&outgoing.to);
        let lacks = || self.proven.lacks(&route, outgoing.body.len());
        if let Some(new) = lacks() {
            let turns = match new {
                New::Route => &self.new_route,
                New::Size => &self.new_size,
            };
            let turn = turns.clone().lock_owned().await;
            // What was tried meanwhile has shown more.
            self.hold_to_limit(outgoing)?;
            if lacks().is_some() {
                self.attempt_beside(message, topology, connection, turn);
                return message.answered().await;
            }
        }
        self.trunk.room().await;
        match self.put(message, &route)? {
            Put::Written => {}
            Put::Twin => {
                let turn = self.twins.clone().lock_owned().await;
                self.attempt_beside(message, topology, connection, turn);
            }
            Put::Nacked => return self.attempt_new(message, connection).await,
        }
        message.answered().await
    }

    /// Publishes a message on a new channel, which shows whether this one refuses what the broker takes.
    async fn attempt_new(&self, message: &Arc<Message>, connection: &Arc<Connected>) -> Result<(), Problem> {
        let (sent, connection) = (message.clone(), connection.clone());
        let (trials, proven) = (self.trials.clone(), self.proven.clone());
        // A task of its own, as in `attempt_beside`.
        tokio::spawn(async move {
            match trials.open_new(&connection).await {
                Ok(trial) => {
                    let route = Route::of(&sent.outgoing.to);
                    trial.publish(&sent, &route.publish(&sent.outgoing), &proven).await;
                }
                Err(error) => sent.answer(Err(Problem::unanswered(said(error)))),
            }
        });
        message.answered().await?;
        tracing::debug!("a new channel takes what this one refuses");
        self.stale.notify_one();
        Ok(())
    }

    /// Publishes a message on a channel of its own, in a task of its own: what has begun comes to its end whatever becomes of
    /// the caller.
    fn attempt_beside(
        self: &Arc<Self>,
        message: &Arc<Message>,
        topology: &Arc<Topology>,
        connection: &Arc<Connected>,
        turn: OwnedMutexGuard<()>,
    ) {
        tokio::spawn(self.clone().attempt(message.clone(), topology.clone(), connection.clone(), turn));
    }

    /// Refuses what the broker is known not to take.
    fn hold_to_limit(&self, message: &Outgoing) -> Result<(), Problem> {
        let bytes = message.body.len();
        match self.most() {
            Some(most) if bytes > most => {
                Err(too_large(format!("it has {bytes} bytes, and RabbitMQ takes at most {most}"), most))
            }
            _ => Ok(()),
        }
    }

    /// Publishes a message on a channel of its own. Its answer comes by itself.
    async fn attempt(
        self: Arc<Self>,
        message: Arc<Message>,
        topology: Arc<Topology>,
        connection: Arc<Connected>,
        turn: OwnedMutexGuard<()>,
    ) {
        let route = Route::of(&message.outgoing.to);
        match self.ready(&route, &message.outgoing, &topology, &connection).await {
            Ok(trial) => {
                trial.publish(&message, &route.publish(&message.outgoing), &self.proven).await;
            }
            Err(problem) => message.answer(Err(problem)),
        }
        drop(turn);
    }

    /// A channel to try the message on, once its exchange or queue is there.
    async fn ready(
        &self,
        route: &Route<'_>,
        message: &Outgoing,
        topology: &Topology,
        connection: &Connected,
    ) -> Result<Arc<Trial>, Problem> {
        let made = match &message.to {
            _ if self.proven.has(route) => Ok(()),
            Address::Event { domain, .. } => topology.exchange(connection, domain).await,
            Address::Dead(queue) => topology.queue(connection, &queue.dead, queue.kind).await,
            Address::Retry(queue, pause) => topology.retry(connection, queue, *pause).await,
            Address::Back(_) => Ok(()),
        };
        made.map_err(|error| match is_permanent(&error) {
            true => Problem::refused(said(error)),
            false => Problem::unanswered(said(error)),
        })?;
        self.trials.open(connection).await.map_err(|error| Problem::unanswered(said(error)))
    }

    fn put(&self, message: &Arc<Message>, route: &Route<'_>) -> Result<Put, Problem> {
        let publish = route.publish(&message.outgoing);
        let identity = Identity::of(&publish);
        let mut pending = lock(&self.pending);
        if let Some(problem) = &pending.ended {
            return Err(problem.clone());
        }
        if pending.nacks.take_turn(route, Instant::now()) {
            return Ok(Put::Nacked);
        }
        if identity.as_deref().is_some_and(|identity| pending.unconfirmed.has(identity)) {
            return Ok(Put::Twin);
        }
        if !message.begin() {
            return Err(Problem::unanswered("nobody waits for it any more"));
        }
        pending.unconfirmed.add(message.clone(), identity);
        let at_once = pending.unconfirmed.count() < BUSY;
        // Within the lock, so that they are written in the order in which they are counted.
        self.trunk.add(|out| publish.write(self.channel.id(), self.frame_max, out));
        drop(pending);
        if at_once {
            self.trunk.flush()
        } else {
            self.trunk.flush_soon()
        }
        Ok(Put::Written)
    }
}

impl Ear for Outlet {
    fn returned(&self, returned: demux::Message) {
        if lock(&self.pending).unconfirmed.returned(&returned).is_some_and(|message| message.returned()) {
            // The next one makes sure of it again.
            self.proven.forget_routes();
        }
    }

    fn confirmed(&self, tag: u64, multiple: bool, ack: bool) {
        let mut pending = lock(&self.pending);
        let Pending { unconfirmed, nacks, leaving, .. } = &mut *pending;
        unconfirmed.confirmed(tag, multiple, |message| {
            nacks.note(&Route::of(&message.outgoing.to), ack);
            message.confirmed(ack);
        });
        if *leaving && unconfirmed.count() == 0 {
            self.idle.notify_one();
        }
    }

    /// What is unconfirmed is sent again: first each on a channel of its own, as nothing is proven on a new outlet.
    fn ended(&self, code: Option<u16>, why: &str) {
        let messages = {
            let mut pending = lock(&self.pending);
            pending.ended.get_or_insert_with(|| Problem::unanswered(why));
            pending.unconfirmed.take()
        };
        if refusal::is_gone(code) {
            tracing::warn!(error = why, "an exchange is gone, making it again");
        }
        let most = refusal::size_limit(code, why);
        if let Some(most) = most {
            self.trials.learn(most);
        }
        for message in messages {
            message.answer(Err(match most {
                Some(most) if message.outgoing.body.len() > most => too_large(why, most),
                _ => Problem::unanswered(why),
            }));
        }
        self.ended.send_replace(true);
        self.idle.notify_one();
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("unconfirmed", &lock(&self.pending).unconfirmed.count()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_large(why: impl Into<String>, most: usize) -> Problem {
    Problem { why: why.into(), kind: Kind::Refused(Refusal::LargerThan(most)) }
}
