//! The works with lapin: as in its documentation, and tuned by hand as far as possible.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use futures_util::future::{join_all, try_join_all};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, PublisherConfirm};
use serde::{Deserialize, Serialize};
use twyla_runtime::QueueKind;
use uuid::Uuid;

use crate::place::{EXCHANGE, KEY, QUEUE, confirming, make};
use crate::workload::{Result, emission};

/// The maximum number of unconfirmed messages.
const WINDOW: usize = 1000;
/// The number of messages that a hand-tuned program writes or acks together.
const TOGETHER: usize = 50;

#[derive(Serialize, Deserialize)]
struct Envelope {
    event_name: String,
    content: UserInput,
    context: Context,
    meta: Meta,
}

#[derive(Serialize, Deserialize)]
struct UserInput {
    emission: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Context {
    channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    version: i64,
    timestamp: String,
    session_id: String,
}

/// One event in its wire format.
#[must_use]
pub(crate) fn body() -> Vec<u8> {
    let envelope = Envelope {
        event_name: "api.user_input".to_owned(),
        content: UserInput { emission: emission(), language: Some("en".to_owned()), attempt: Some(1) },
        context: Context { channel: "web".to_owned(), user: Some("Ada".to_owned()) },
        meta: Meta {
            version: 1,
            timestamp: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, false),
            session_id: Uuid::new_v4().to_string(),
        },
    };
    serde_json::to_vec(&envelope).expect("it is written by serde")
}

fn properties() -> BasicProperties {
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_message_id(Uuid::now_v7().to_string().into())
}

async fn publish(channel: &Channel) -> lapin::Result<PublisherConfirm> {
    let options = BasicPublishOptions::default();
    channel.basic_publish(EXCHANGE.into(), KEY.into(), options, &body(), properties()).await
}

async fn confirmed(confirm: PublisherConfirm) -> Result {
    if confirm.await?.is_ack() { Ok(()) } else { Err("nack".into()) }
}

/// Awaits each publish, with a window of unconfirmed ones.
pub(crate) async fn emit_idiomatic(connection: Arc<Connection>, count: u32) -> Result {
    let channel = confirming(&connection).await?;
    let mut window = VecDeque::with_capacity(WINDOW);
    for _ in 0..count {
        if window.len() == WINDOW
            && let Some(confirm) = window.pop_front()
        {
            confirmed(confirm).await?;
        }
        window.push_back(publish(&channel).await?);
    }
    for confirm in window {
        confirmed(confirm).await?;
    }
    Ok(channel.close(200, "OK".into()).await?)
}

/// Joins this many publishes for each wake-up.
pub(crate) async fn emit_joined(connection: Arc<Connection>, count: u32) -> Result {
    let channel = confirming(&connection).await?;
    let mut window: VecDeque<PublisherConfirm> = VecDeque::with_capacity(WINDOW);
    let mut left = count as usize;
    while left > 0 {
        let now = left.min(TOGETHER);
        left -= now;
        window.extend(try_join_all((0..now).map(|_| publish(&channel))).await?);
        if window.len() >= WINDOW {
            join_all(window.drain(..TOGETHER).map(confirmed)).await.into_iter().collect::<Result<()>>()?;
        }
    }
    join_all(window.into_iter().map(confirmed)).await.into_iter().collect::<Result<()>>()?;
    Ok(channel.close(200, "OK".into()).await?)
}

/// Sends one after another, each confirmed before the next.
pub(crate) async fn emit_one_by_one(connection: Arc<Connection>, count: u32) -> Result {
    let channel = confirming(&connection).await?;
    for _ in 0..count {
        confirmed(publish(&channel).await?).await?;
    }
    Ok(channel.close(200, "OK".into()).await?)
}

/// Sends at a steady rate; returns the time until each confirm.
pub(crate) async fn latencies(connection: Arc<Connection>, count: u32, every: Duration) -> Result<Vec<Duration>> {
    let channel = confirming(&connection).await?;
    let mut ticks = tokio::time::interval(every);
    let mut latencies = Vec::with_capacity(count as usize);
    for _ in 0..count {
        ticks.tick().await;
        let begun = Instant::now();
        confirmed(publish(&channel).await?).await?;
        latencies.push(begun.elapsed());
    }
    channel.close(200, "OK".into()).await?;
    Ok(latencies)
}

/// Consumes `count` events, decodes each, and acks each alone or the last of a batch for all of it.
pub(crate) async fn listen(connection: Arc<Connection>, count: u32, prefetch: u16, together: u32) -> Result {
    let channel = connection.create_channel().await?;
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await?;
    let mut letters = 0;
    for done in 1..=count {
        let delivery = consumer.try_next().await?.ok_or("the consumer has ended")?;
        let envelope: Envelope = serde_json::from_slice(&delivery.data)?;
        letters += std::hint::black_box(envelope).content.emission.len();
        if done % together == 0 || done == count {
            delivery.acker.ack(BasicAckOptions { multiple: together > 1 }).await?;
        }
    }
    std::hint::black_box(letters);
    Ok(channel.close(200, "OK".into()).await?)
}

/// Creates an empty queue of this kind, and puts `count` events into it.
pub(crate) async fn filled(connection: &Arc<Connection>, kind: QueueKind, count: u32) -> Result {
    make(connection, kind).await?;
    emit_joined(connection.clone(), count).await
}
