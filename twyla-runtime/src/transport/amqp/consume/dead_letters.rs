//! The dead queues of RabbitMQ: looked at, and sorted, over a connection of their own. RabbitMQ ends a connection that reads a
//! quorum queue while it is made or deleted (`INTERNAL_ERROR`), which no consumer is to notice.

use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use lapin::options::{BasicAckOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use tokio::time::{Instant, sleep, timeout_at};

use super::fetch::{Ended, Fetch};
use crate::background;
use crate::bus::error::Error;
use crate::dead_letter::letter::{self, DeadLetter, Death, Header, Named};
use crate::dead_letter::triage::{Decide, Sort, Sorted};
use crate::telemetry::trace::TraceContext;
use crate::transport::amqp::Amqp;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::connection;
use crate::transport::amqp::connect::topology::Failed;
use crate::transport::amqp::error::{self, NOT_FOUND, said};
use crate::transport::amqp::io::demux::Message;
use crate::transport::amqp::io::frame::deaths;
use crate::transport::sender_properties::Original;
use crate::transport::{Address, Outgoing, new_message_id};

/// How many are replayed together. A quorum queue keeps back the acks of a channel beyond 32, and forgets them when the
/// channel is closed meanwhile.
const TOGETHER: usize = 32;
/// How long the broker may take to confirm a replayed message.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a queue is waited for to have back what was given back to it. Others may take that meanwhile, so it may never have
/// as many as before.
const RETURN_DEADLINE: Duration = Duration::from_secs(2);

/// What the connection is called on the broker, behind the bus's app id.
const ROLE: &str = "dead letters";
/// How long a reader waits before it reads again.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a dead queue was not read.
#[derive(Debug)]
pub(crate) struct Unread {
    why: String,
    /// Whether it would be the same if it were read again. A queue that is deleted meanwhile is empty then.
    for_good: bool,
}

impl Unread {
    /// The broker's words, or ours.
    pub(crate) fn why(self) -> String {
        self.why
    }
}

impl From<lapin::Error> for Unread {
    fn from(error: lapin::Error) -> Self {
        let for_good = error::is_permanent(&error) && !error::is(&error, NOT_FOUND);
        Self { for_good, why: said(error) }
    }
}

impl From<Ended> for Unread {
    fn from(ended: Ended) -> Self {
        Self { for_good: ended.code.is_some_and(|code| code != NOT_FOUND), why: ended.why }
    }
}

type Letter = (DeadLetter, Vec<(String, Header)>, Option<TraceContext>, Original);

impl Amqp {
    /// Reads, and reads again if the connection ends meanwhile, within the deadline for connecting.
    pub(crate) async fn read_again<T, F>(&self, read: impl Fn() -> F) -> Result<T, String>
    where
        F: Future<Output = Result<T, Unread>>,
    {
        let until = Instant::now() + self.config.connect_deadline;
        let mut last = None;
        loop {
            match timeout_at(until, read()).await {
                Ok(Ok(read)) => return Ok(read),
                Ok(Err(Unread { why, for_good: true })) => return Err(why),
                Ok(Err(unread)) => last = Some(unread.why),
                Err(_) => return Err(last.unwrap_or_else(|| self.consume.trouble())),
            }
            sleep(PAUSE).await;
        }
    }

    /// The first `limit` dead letters, which stay where they are.
    pub(crate) async fn peek(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, Unread> {
        let Some((mut dead, count)) = self.open_dead(queue).await? else { return Ok(Vec::new()) };
        let mut letters = Vec::new();
        let mut last = None;
        while letters.len() < limit
            && let Some(message) = dead.next().await?
        {
            last = Some(message.tag);
            letters.push(read(message).0);
        }
        dead.give_back(last, count).await?;
        letters.sort_by_key(|letter| letter.parked_at);
        Ok(letters)
    }

    pub(crate) async fn count(&self, queue: &str) -> Result<usize, Unread> {
        let Some((dead, count)) = self.open_dead(queue).await? else { return Ok(0) };
        dead.close().await;
        Ok(count)
    }

    /// Asks of each dead letter that is there now what is to become of it. A replayed one is acked once the broker has
    /// confirmed it in its group's queue.
    pub(crate) async fn sort(&self, queue: &str, back: &str, decide: Decide<'_>) -> Result<Sorted, Unread> {
        let mut sorted = Sorted::default();
        let Some((mut dead, count)) = self.open_dead(queue).await? else { return Ok(sorted) };
        let (mut batch, mut acks, mut kept) = (Vec::new(), Vec::new(), None);
        for _ in 0..count {
            let Some(message) = dead.next().await? else { break };
            let tag = message.tag;
            let letter = read(message);
            match decide(&letter.0) {
                Sort::Keep => {
                    kept = Some(tag);
                    sorted.kept += 1;
                }
                Sort::Drop => {
                    acks.push(tag);
                    sorted.dropped += 1;
                }
                Sort::Replay => batch.push((tag, letter)),
                Sort::Stop => {
                    kept = Some(tag);
                    break;
                }
            }
            if batch.len() + acks.len() == TOGETHER {
                sorted.replayed += self.settle(&dead, back, &mut batch, &mut acks).await?;
            }
        }
        sorted.replayed += self.settle(&dead, back, &mut batch, &mut acks).await?;
        dead.give_back(kept, count.saturating_sub(sorted.replayed + sorted.dropped)).await?;
        Ok(sorted)
    }

    /// Replays a batch and acks what was confirmed of it, and what is to be dropped; how many were replayed.
    async fn settle(
        &self,
        dead: &DeadQueue,
        back: &str,
        batch: &mut Vec<(u64, Letter)>,
        acks: &mut Vec<u64>,
    ) -> Result<usize, Unread> {
        let deadline = Instant::now() + DEADLINE;
        let publishing = batch.iter().map(|(_, (letter, headers, trace, original))| {
            let message = Outgoing {
                to: Address::Back(back.into()),
                body: letter.body.clone(),
                message_id: letter.message_id.as_deref().map_or_else(new_message_id, Into::into),
                timestamp: Utc::now(),
                app_id: self.app_id.clone(),
                headers: replayed(letter, headers),
                trace: trace.clone(),
                original: Some(Box::new(original.clone())),
            };
            self.publisher.publish(message, deadline)
        });
        let outcomes = join_all(publishing).await;
        let mut trouble = None;
        let before = acks.len();
        for ((tag, _), outcome) in batch.drain(..).zip(outcomes) {
            match outcome {
                Ok(()) => acks.push(tag),
                Err(failure) => trouble = Some(failure.why),
            }
        }
        let replayed = acks.len() - before;
        for tag in acks.drain(..) {
            dead.fetch.channel.basic_ack(tag, BasicAckOptions::default()).await?;
        }
        // Its answer comes once the queue has the acks.
        dead.count().await?;
        trouble.map_or(Ok(replayed), |why| Err(Unread { why, for_good: true }))
    }

    /// A dead queue, and how many messages are ready in it; nothing where there is no such queue.
    async fn open_dead(&self, queue: &str) -> Result<Option<(DeadQueue, usize)>, Unread> {
        let Ok(queue) = ShortString::try_new(queue) else { return Ok(None) };
        if self.gate.is_closed() {
            return Err(Unread { why: "the bus is closed".to_owned(), for_good: true });
        }
        let failed = |error: Error| Unread { why: error.to_string(), for_good: true };
        let connection = connection::connect(&self.config, ROLE).await.map_err(failed)?;
        let channel = connection.create_channel().await?;
        let fetch = Fetch::new(&connection, channel);
        let dead = DeadQueue { queue, fetch, connection, deadline: self.config.connect_deadline, is_closed: false };
        match dead.count().await {
            Ok(count) => Ok(Some((dead, count))),
            Err(error) if error::is(&error, NOT_FOUND) => {
                dead.close().await;
                Ok(None)
            }
            Err(error) => {
                let for_good = error::is_permanent(&error);
                let needs = "a right to look at it: RabbitMQ 4.2.6 and 4.3.0 ask for `configure`, later ones for any";
                let why = Failed::at(format!("look at the queue `{}`", dead.queue), needs)(error).why();
                dead.close().await;
                Err(Unread { why, for_good })
            }
        }
    }
}

/// A dead queue that is read, over a connection that is closed when this is dropped.
struct DeadQueue {
    queue: ShortString,
    fetch: Fetch,
    connection: Connected,
    /// How long the broker may take to answer that the connection is closed.
    deadline: Duration,
    is_closed: bool,
}

impl DeadQueue {
    /// How many messages are ready.
    async fn count(&self) -> Result<usize, lapin::Error> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = self.fetch.channel.queue_declare(self.queue.clone(), passive, FieldTable::default()).await?;
        Ok(declared.message_count() as usize)
    }

    /// The next message, if there is one.
    async fn next(&mut self) -> Result<Option<Message>, Ended> {
        self.fetch.get(self.queue.as_str()).await
    }

    /// Gives back what was fetched up to this one and isn't acked, and waits until the queue has `count` messages again: a quorum
    /// queue takes them back later than it answers, and readers would see a part of them meanwhile.
    async fn give_back(self, last: Option<u64>, count: usize) -> Result<(), Unread> {
        if let Some(last) = last {
            self.fetch.channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true }).await?;
            let until = Instant::now() + RETURN_DEADLINE;
            let mut pause = Duration::from_millis(1);
            while self.count().await? < count && Instant::now() < until {
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE);
            }
        }
        self.close().await;
        Ok(())
    }

    async fn close(mut self) {
        self.is_closed = self.connection.close_within(self.deadline).await;
    }
}

impl Drop for DeadQueue {
    fn drop(&mut self) {
        // lapin closes what isn't closed yet, but may wait for a lost connection for ever.
        if !self.is_closed {
            background::spawn(connection::leave(self.connection.trunk.clone()));
        }
    }
}

/// The headers that a message has again. The broker takes the time to live of a message that it moves.
fn replayed(letter: &DeadLetter, headers: &[(String, Header)]) -> Vec<Named> {
    let mut kept = letter::foreign(headers);
    if let (None, Some(Death { expiration: Some(expiration), .. })) = (letter.reason, letter.deaths.first()) {
        kept.push((letter::EXPIRATION.into(), Header::Text(expiration.clone())));
    }
    kept
}

fn read(message: Message) -> Letter {
    let properties = message.properties;
    let deaths = properties.headers.iter().find(|(name, _)| name == "x-death").map(|(_, header)| deaths(header));
    let letter = DeadLetter::read(&properties.headers, properties.message_id, message.body.into());
    let letter = letter.moved(deaths.unwrap_or_default());
    (letter, properties.headers, properties.trace, properties.original)
}
