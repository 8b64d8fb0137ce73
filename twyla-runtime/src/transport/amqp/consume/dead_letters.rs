//! Reads and sorts RabbitMQ's dead queues over a separate connection: RabbitMQ ends a connection that reads a quorum queue while
//! the queue is declared or deleted (`INTERNAL_ERROR`), and consumers must not be affected.

use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use lapin::options::{BasicAckOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use tokio::time::{Instant, sleep, timeout_at};

use super::fetch::{ChannelClosed, QueueReader};
use crate::background;
use crate::bus::error::Error;
use crate::dead_letter::headers::{self, Header, NamedHeader};
use crate::dead_letter::letter::{DeadLetter, Death};
use crate::dead_letter::triage::{Decide, Sort, Sorted};
use crate::telemetry::trace::TraceContext;
use crate::transport::amqp::Amqp;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::connection;
use crate::transport::amqp::connect::topology::TopologyError;
use crate::transport::amqp::error::{self, NOT_FOUND, describe};
use crate::transport::amqp::io::demux::BrokerMessage;
use crate::transport::amqp::io::frame::deaths;
use crate::transport::sender_properties::SenderProperties;
use crate::transport::{Outgoing, PublishTarget, new_message_id};

/// The batch size of a replay. A quorum queue holds back more than 32 acks of a channel, and loses them if the channel is closed
/// meanwhile.
const TOGETHER: usize = 32;
/// How long the broker may take to confirm a replayed message.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long to wait until the queue has the requeued messages again. Other readers may take messages meanwhile, so the old
/// count may never be reached.
const RETURN_DEADLINE: Duration = Duration::from_secs(2);

/// How long to wait until the broker confirms that the connection is closed. A longer wait could exceed the deadline of the whole
/// read, and the letters that were read would be lost.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// The suffix of the connection's name on the broker, after the bus's app id.
const ROLE: &str = "dead letters";
/// The pause before a retry.
const PAUSE: Duration = Duration::from_millis(100);

/// An error of reading a dead queue.
#[derive(Debug)]
pub(crate) struct ReadError {
    why: String,
    /// Whether a retry would fail too. A queue that is deleted meanwhile counts as empty on a retry.
    for_good: bool,
}

impl ReadError {
    /// Returns the message.
    pub(crate) fn why(self) -> String {
        self.why
    }
}

impl From<lapin::Error> for ReadError {
    fn from(error: lapin::Error) -> Self {
        let for_good = error::is_permanent(&error) && !error::is(&error, NOT_FOUND);
        Self { for_good, why: describe(error) }
    }
}

impl From<ChannelClosed> for ReadError {
    fn from(ended: ChannelClosed) -> Self {
        Self { for_good: ended.code.is_some_and(|code| code != NOT_FOUND), why: ended.why }
    }
}

type DeadMessage = (DeadLetter, Vec<(String, Header)>, Option<TraceContext>, SenderProperties);

impl Amqp {
    /// Runs `read`, and again after each temporary error, within the connect deadline.
    pub(crate) async fn read_again<T, F>(&self, read: impl Fn() -> F) -> Result<T, String>
    where
        F: Future<Output = Result<T, ReadError>>,
    {
        let until = Instant::now() + self.config.connect_deadline;
        let mut last = None;
        loop {
            match timeout_at(until, read()).await {
                Ok(Ok(read)) => return Ok(read),
                Ok(Err(ReadError { why, for_good: true })) => return Err(why),
                Ok(Err(unread)) => last = Some(unread.why),
                Err(_) => return Err(last.unwrap_or_else(|| self.consume.trouble())),
            }
            sleep(PAUSE).await;
        }
    }

    /// Returns the first `limit` dead letters, and leaves them in the queue.
    pub(crate) async fn peek(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, ReadError> {
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

    pub(crate) async fn count(&self, queue: &str) -> Result<usize, ReadError> {
        let Some((dead, count)) = self.open_dead(queue).await? else { return Ok(0) };
        dead.close().await;
        Ok(count)
    }

    /// Applies `decide` to each dead letter that is in the queue now. A replayed letter is acked once the broker has confirmed
    /// it in its group's queue.
    pub(crate) async fn sort(&self, queue: &str, back: &str, decide: Decide<'_>) -> Result<Sorted, ReadError> {
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

    /// Replays a batch, and acks the confirmed and the dropped letters. Returns how many were replayed.
    async fn settle(
        &self,
        dead: &DeadQueue,
        back: &str,
        batch: &mut Vec<(u64, DeadMessage)>,
        acks: &mut Vec<u64>,
    ) -> Result<usize, ReadError> {
        let deadline = Instant::now() + DEADLINE;
        let publishing = batch.iter().map(|(_, (letter, headers, trace, original))| {
            let message = Outgoing {
                to: PublishTarget::Back(back.into()),
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
            dead.reader.channel.basic_ack(tag, BasicAckOptions::default()).await?;
        }
        // the answer to `count` arrives after the queue has processed the acks
        dead.count().await?;
        trouble.map_or(Ok(replayed), |why| Err(ReadError { why, for_good: true }))
    }

    /// Opens a dead queue; returns it with its number of ready messages, or `None` if it doesn't exist.
    async fn open_dead(&self, queue: &str) -> Result<Option<(DeadQueue, usize)>, ReadError> {
        let Ok(queue) = ShortString::try_new(queue) else { return Ok(None) };
        if self.in_flight.is_closed() {
            return Err(ReadError { why: "the bus is closed".to_owned(), for_good: true });
        }
        let failed = |error: Error| ReadError { why: error.to_string(), for_good: true };
        let connection = connection::connect(&self.config, ROLE).await.map_err(failed)?;
        let connection = ReadConnection { connection, is_closed: false };
        let channel = connection.connection.create_channel().await?;
        let reader = QueueReader::new(&connection.connection, channel);
        let dead = DeadQueue { queue, reader, connection };
        match dead.count().await {
            Ok(count) => Ok(Some((dead, count))),
            Err(error) if error::is(&error, NOT_FOUND) => {
                dead.close().await;
                Ok(None)
            }
            Err(error) => {
                let for_good = error::is_permanent(&error);
                let needs = "a permission on it (RabbitMQ 4.2.6 and 4.3.0 require `configure`, later versions any)";
                let why = TopologyError::at(format!("check the queue `{}`", dead.queue), needs)(error).why();
                dead.close().await;
                Err(ReadError { why, for_good })
            }
        }
    }
}

/// A dead queue with its connection.
struct DeadQueue {
    queue: ShortString,
    reader: QueueReader,
    connection: ReadConnection,
}

/// A connection that is closed on drop.
struct ReadConnection {
    connection: Connected,
    is_closed: bool,
}

impl DeadQueue {
    /// Returns the number of ready messages.
    async fn count(&self) -> Result<usize, lapin::Error> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = self.reader.channel.queue_declare(self.queue.clone(), passive, FieldTable::default()).await?;
        Ok(declared.message_count() as usize)
    }

    /// Fetches the next message; `None` if no message is ready.
    async fn next(&mut self) -> Result<Option<BrokerMessage>, ChannelClosed> {
        self.reader.get(self.queue.as_str()).await
    }

    /// Requeues the unacked messages up to `last`, and waits until the queue has `count` messages again: a quorum queue requeues
    /// them after it has answered, and readers would see only some of them meanwhile.
    async fn give_back(self, last: Option<u64>, count: usize) -> Result<(), ReadError> {
        if let Some(last) = last {
            self.reader.channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true }).await?;
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
        self.connection.is_closed = self.connection.connection.close_within(CLOSE_DEADLINE).await;
    }
}

impl Drop for ReadConnection {
    fn drop(&mut self) {
        // lapin closes an open connection on drop, but may wait for a lost one for ever
        if !self.is_closed {
            background::spawn(connection::leave(self.connection.stream.clone()));
        }
    }
}

/// Returns the headers of a replayed message. The broker removes the expiration of a message that it dead-letters, so it is
/// restored.
fn replayed(letter: &DeadLetter, headers: &[(String, Header)]) -> Vec<NamedHeader> {
    let mut kept = headers::foreign(headers);
    if let (None, Some(Death { expiration: Some(expiration), .. })) = (letter.reason, letter.deaths.first()) {
        kept.push((headers::EXPIRATION.into(), Header::Text(expiration.clone())));
    }
    kept
}

fn read(message: BrokerMessage) -> DeadMessage {
    let properties = message.properties;
    let deaths = properties.headers.iter().find(|(name, _)| name == "x-death").map(|(_, header)| deaths(header));
    let (id, original) = (properties.message_id, Some(&properties.original));
    let letter = DeadLetter::read(&properties.headers, original, id, message.body.into());
    let letter = letter.moved(deaths.unwrap_or_default());
    (letter, properties.headers, properties.trace, properties.original)
}
