//! The dead queues of RabbitMQ: looked at, and sorted.

use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use tokio::time::{Instant, sleep, timeout_at};

use super::fetch::{Ended, Fetch};
use crate::bus::new_message_id;
use crate::dead_letter::letter::{self, DeadLetter, Death, Header, Named};
use crate::dead_letter::triage::{Decide, Sort, Sorted};
use crate::telemetry::trace::TraceContext;
use crate::transport::amqp::Amqp;
use crate::transport::amqp::connect::topology::Failed;
use crate::transport::amqp::error::{self, NOT_FOUND, said};
use crate::transport::amqp::io::demux::Message;
use crate::transport::amqp::io::frame::deaths;
use crate::transport::sender_properties::Original;
use crate::transport::{Address, Outgoing};

/// How many are replayed together. A quorum queue keeps back the acks of a channel beyond 32, and forgets them when the
/// channel is closed meanwhile.
const TOGETHER: usize = 32;
/// How long the broker may take to confirm a replayed message.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a queue is waited for to have back what was given back to it. Others may take that meanwhile, so it may never have
/// as many as before.
const RETURN_DEADLINE: Duration = Duration::from_secs(2);

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
    /// Reads, and reads again if the connection ends meanwhile, within the deadline for connecting. RabbitMQ ends it
    /// (`INTERNAL_ERROR`) if a quorum queue is read while it is being made or deleted.
    pub(crate) async fn read_again<T, F>(&self, read: impl Fn() -> F) -> Result<T, String>
    where
        F: Future<Output = Result<T, Unread>>,
    {
        let until = Instant::now() + self.connect_deadline;
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
        let Some((mut fetch, queue, count)) = self.open_dead(queue).await? else { return Ok(Vec::new()) };
        let mut letters = Vec::new();
        let mut last = None;
        while letters.len() < limit
            && let Some(message) = fetch.get(queue.as_str()).await?
        {
            last = Some(message.tag);
            letters.push(read(message).0);
        }
        give_back(&fetch.channel, &queue, last, count).await?;
        letters.sort_by_key(|letter| letter.parked_at);
        Ok(letters)
    }

    pub(crate) async fn count(&self, queue: &str) -> Result<usize, Unread> {
        let Some((fetch, _, count)) = self.open_dead(queue).await? else { return Ok(0) };
        fetch.channel.close(200, "OK".into()).await?;
        Ok(count)
    }

    /// Asks of each dead letter that is there now what is to become of it. A replayed one is acked once the broker has
    /// confirmed it in its group's queue.
    pub(crate) async fn sort(&self, queue: &str, back: &str, decide: Decide<'_>) -> Result<Sorted, Unread> {
        let mut sorted = Sorted::default();
        let Some((mut fetch, queue, count)) = self.open_dead(queue).await? else { return Ok(sorted) };
        let (mut batch, mut acks, mut kept) = (Vec::new(), Vec::new(), None);
        for _ in 0..count {
            let Some(message) = fetch.get(queue.as_str()).await? else { break };
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
                sorted.replayed += self.settle(&fetch.channel, &queue, back, &mut batch, &mut acks).await?;
            }
        }
        sorted.replayed += self.settle(&fetch.channel, &queue, back, &mut batch, &mut acks).await?;
        give_back(&fetch.channel, &queue, kept, count.saturating_sub(sorted.replayed + sorted.dropped)).await?;
        Ok(sorted)
    }

    /// Replays a batch and acks what was confirmed of it, and what is to be dropped; how many were replayed.
    async fn settle(
        &self,
        channel: &Channel,
        queue: &ShortString,
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
            channel.basic_ack(tag, BasicAckOptions::default()).await?;
        }
        // Its answer comes once the queue has the acks.
        channel.queue_declare(queue.clone(), passive(), FieldTable::default()).await?;
        trouble.map_or(Ok(replayed), |why| Err(Unread { why, for_good: true }))
    }

    /// A channel, the queue's name, and how many messages are ready in it; nothing where there is no such queue.
    async fn open_dead(&self, queue: &str) -> Result<Option<(Fetch, ShortString, usize)>, Unread> {
        let Ok(queue) = ShortString::try_new(queue) else { return Ok(None) };
        let closed = || Unread { why: "the bus is closed".to_owned(), for_good: true };
        let connection = self.consume.connection().await.ok_or_else(closed)?;
        let channel = connection.create_channel().await?;
        match channel.queue_declare(queue.clone(), passive(), FieldTable::default()).await {
            Ok(declared) => {
                let count = declared.message_count() as usize;
                Ok(Some((Fetch::new(&connection, channel), queue, count)))
            }
            Err(error) if error::is(&error, NOT_FOUND) => Ok(None),
            Err(error) => {
                let for_good = error::is_permanent(&error);
                let needs = "a right to look at it: RabbitMQ 4.2.6 and 4.3.0 ask for `configure`, later ones for any";
                let why = Failed::at(format!("look at the queue `{queue}`"), needs)(error).why();
                Err(Unread { why, for_good })
            }
        }
    }
}

fn passive() -> QueueDeclareOptions {
    QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() }
}

/// Gives back what was fetched up to this one and isn't acked, and waits until the queue has `count` messages again: a quorum
/// queue takes them back later than it answers, and whoever looks at it meanwhile would see a part of them.
async fn give_back(channel: &Channel, queue: &ShortString, last: Option<u64>, count: usize) -> Result<(), Unread> {
    if let Some(last) = last {
        channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true }).await?;
        let until = Instant::now() + RETURN_DEADLINE;
        let mut pause = Duration::from_millis(1);
        loop {
            let declared = channel.queue_declare(queue.clone(), passive(), FieldTable::default()).await?;
            if declared.message_count() as usize >= count || Instant::now() >= until {
                break;
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE);
        }
    }
    Ok(channel.close(200, "OK".into()).await?)
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
