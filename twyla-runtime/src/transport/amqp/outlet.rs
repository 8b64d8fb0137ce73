//! A channel that messages are published on, and what the broker has not confirmed yet.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;
use lapin::Channel;
use lapin::options::ConfirmSelectOptions;
use tokio::sync::watch;

use super::connection::Connected;
use super::frame::Publish;
use super::said;
use super::switch::{self, Ear};
use super::topology::{self, NOT_FOUND, PRECONDITION_FAILED, Topology};
use super::trunk::Trunk;
use crate::transport::{Address, Outgoing};

/// With so many unconfirmed, what is sent waits for what comes with it: a write for each would cost more than all the
/// rest. With fewer, each is written at once.
const BUSY: usize = 8;

/// Why a try at a message came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) why: String,
    /// Trying again makes no sense.
    pub(crate) permanent: bool,
}

impl Problem {
    pub(crate) fn again(why: impl Into<String>) -> Self {
        Self { why: why.into(), permanent: false }
    }
}

/// A message under way, shared by the channel and the one who waits for it. They agree on where it is, so that "not sent" is
/// certain.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) outgoing: Outgoing,
    stage: AtomicU8,
    answer: Mutex<Option<Result<(), Problem>>>,
    waiting: AtomicWaker,
}

impl Message {
    const WRITTEN: u8 = 1;
    const RETURNED: u8 = 2;

    pub(crate) fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, stage: AtomicU8::new(0), answer: Mutex::default(), waiting: AtomicWaker::new() }
    }

    /// Whether it may have been sent.
    pub(crate) fn was_written(&self) -> bool {
        self.stage.load(Ordering::Acquire) & Self::WRITTEN != 0
    }

    fn answer(&self, answer: Result<(), Problem>) {
        *lock(&self.answer) = Some(answer);
        self.waiting.wake();
    }

    /// The broker's answer: its confirm, unless the message came back before.
    fn confirmed(&self, ack: bool) {
        let came_back = self.stage.fetch_and(!Self::RETURNED, Ordering::AcqRel) & Self::RETURNED != 0;
        self.answer(match ack {
            true if came_back => Err(gone(&self.outgoing.to)),
            true => Ok(()),
            false => Err(Problem::again("RabbitMQ refused the message (nack)")),
        });
    }

    /// Waits for the answer to a try.
    async fn answered(&self) -> Result<(), Problem> {
        poll_fn(|context| {
            self.waiting.register(context.waker());
            lock(&self.answer).take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// A channel with confirms whose messages go past lapin.
pub(crate) struct Outlet {
    trunk: Arc<Trunk>,
    /// Kept: it is closed when this is dropped.
    channel: Channel,
    frame_max: usize,
    pending: Mutex<Pending>,
    ended: watch::Sender<bool>,
    /// The exchanges and queues that are known to be there. One at a time is made sure of.
    known: Mutex<HashSet<String>>,
    making: tokio::sync::Mutex<()>,
}

/// What isn't confirmed, in the order in which it was written.
#[derive(Default)]
struct Pending {
    /// The number of the first; a channel counts its messages from 1 on.
    first: u64,
    messages: VecDeque<Option<Arc<Message>>>,
    /// How many are there.
    count: usize,
    ended: Option<Problem>,
}

impl Outlet {
    /// Opens a channel with confirms.
    pub(crate) async fn open(connection: &Connected) -> Result<Arc<Self>, lapin::Error> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let frame_max = usize::try_from(connection.configuration().frame_max()).unwrap_or(usize::MAX);
        let outlet = Arc::new(Self {
            trunk: connection.trunk.clone(),
            frame_max: if frame_max == 0 { usize::MAX } else { frame_max },
            pending: Mutex::new(Pending { first: 1, ..Pending::default() }),
            ended: watch::Sender::new(false),
            known: Mutex::default(),
            making: tokio::sync::Mutex::default(),
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

    /// Publishes once; resolves with the broker's confirm.
    pub(crate) async fn publish(
        &self,
        message: &Arc<Message>,
        topology: &Topology,
        connection: &lapin::Connection,
    ) -> Result<(), Problem> {
        self.make_sure(&message.outgoing, topology, connection).await?;
        self.trunk.room().await;
        self.put(message)?;
        message.answered().await
    }

    fn put(&self, message: &Arc<Message>) -> Result<(), Problem> {
        let outgoing = &message.outgoing;
        let (exchange, routing_key, mandatory) = match &outgoing.to {
            Address::Event { domain, event_type } => (&**domain, event_type.clone(), false),
            Address::Dead(queue) => ("", queue.dead.as_str().into(), true),
            Address::Retry(queue, pause) => ("", queue.retry(*pause).into(), true),
            Address::Back(queue) => ("", (**queue).into(), true),
        };
        let publish = Publish {
            exchange,
            routing_key: &routing_key,
            mandatory,
            message_id: &outgoing.message_id,
            timestamp: u64::try_from(outgoing.timestamp.timestamp()).unwrap_or_default(),
            app_id: &outgoing.app_id,
            headers: &outgoing.headers,
            trace: outgoing.trace.as_ref(),
            body: &outgoing.body,
        };
        let mut pending = lock(&self.pending);
        if let Some(problem) = &pending.ended {
            return Err(problem.clone());
        }
        message.stage.store(Message::WRITTEN, Ordering::Release);
        pending.messages.push_back(Some(message.clone()));
        pending.count += 1;
        let at_once = pending.count < BUSY;
        // Within the lock, so that they are written in the order in which they are counted.
        self.trunk.add(|out| publish.write(self.channel.id(), self.frame_max, out));
        drop(pending);
        if at_once {
            self.trunk.flush()
        } else {
            self.trunk.flush_soon()
        }
        Ok(())
    }

    async fn make_sure(
        &self,
        message: &Outgoing,
        topology: &Topology,
        connection: &lapin::Connection,
    ) -> Result<(), Problem> {
        if self.knows(&message.to) {
            return Ok(());
        }
        let _one = self.making.lock().await;
        if self.knows(&message.to) {
            return Ok(());
        }
        let (name, outcome) = match &message.to {
            Address::Event { domain, .. } => ((**domain).to_owned(), topology.exchange(connection, domain).await),
            Address::Dead(queue) => (queue.dead.clone(), topology.queue(connection, &queue.dead, queue.kind).await),
            Address::Retry(queue, pause) => (queue.retry(*pause), topology.retry(connection, queue, *pause).await),
            Address::Back(_) => return Ok(()),
        };
        outcome.map_err(|error| Problem { permanent: topology::is_permanent(&error), why: said(error) })?;
        lock(&self.known).insert(name);
        Ok(())
    }

    fn knows(&self, address: &Address) -> bool {
        let known = lock(&self.known);
        match address {
            Address::Event { domain, .. } => known.contains(&**domain),
            Address::Dead(queue) => known.contains(&queue.dead),
            Address::Retry(queue, pause) => known.contains(&queue.retry(*pause)),
            Address::Back(_) => true,
        }
    }
}

impl Ear for Outlet {
    fn returned(&self, message: switch::Message) {
        let Some(id) = message.properties.message_id else { return };
        let pending = lock(&self.pending);
        let returned = pending.messages.iter().flatten().find(|pending| {
            shortened(&pending.outgoing.message_id) == id && pending.stage.load(Ordering::Acquire) == Message::WRITTEN
        });
        if let Some(message) = returned {
            message.stage.fetch_or(Message::RETURNED, Ordering::AcqRel);
            // The next one makes sure of it again.
            lock(&self.known).clear();
        }
    }

    fn confirmed(&self, tag: u64, multiple: bool, ack: bool) {
        let mut pending = lock(&self.pending);
        let Some(at) = tag.checked_sub(pending.first).and_then(|at| usize::try_from(at).ok()) else { return };
        let confirmed = |pending: &mut Pending, message: Option<Arc<Message>>| {
            if let Some(message) = message {
                pending.count -= 1;
                message.confirmed(ack);
            }
        };
        if multiple {
            for _ in 0..=at {
                let Some(message) = pending.messages.pop_front() else { break };
                pending.first += 1;
                confirmed(&mut pending, message);
            }
        } else if let Some(message) = pending.messages.get_mut(at) {
            let message = message.take();
            confirmed(&mut pending, message);
            while let Some(None) = pending.messages.front() {
                pending.messages.pop_front();
                pending.first += 1;
            }
        }
    }

    fn ended(&self, code: Option<u16>, why: &str) {
        let messages = {
            let mut pending = lock(&self.pending);
            pending.ended.get_or_insert_with(|| Problem::again(why));
            pending.count = 0;
            std::mem::take(&mut pending.messages)
        };
        let messages: Vec<_> = messages.into_iter().flatten().collect();
        if code == Some(NOT_FOUND) {
            tracing::warn!(error = why, "an exchange is gone, making it again");
        }
        for message in messages {
            // The broker tells its size (`max_message_size`). The others get the same answer, and are sent again.
            let too_large = code == Some(PRECONDITION_FAILED)
                && why.contains(&format!("message size {} is larger", message.outgoing.body.len()));
            message.answer(Err(Problem { why: why.to_owned(), permanent: too_large }));
        }
        self.ended.send_replace(true);
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("unconfirmed", &lock(&self.pending).count).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An id as it goes over the wire: a short string holds 255 bytes.
fn shortened(id: &str) -> &str {
    &id[..id.floor_char_boundary(255)]
}

/// What is wrong when nothing was there to take a message.
fn gone(address: &Address) -> Problem {
    match address {
        // Nobody but its group makes it.
        Address::Back(queue) => {
            let why = format!("there is no queue `{queue}`: a member of its group makes it as it starts");
            Problem { why, permanent: true }
        }
        _ => Problem::again("the queue is gone"),
    }
}
