//! A full queue without a group: the broker refuses each event routed to it, but delivers the event to all other
//! queues.

use std::env;

use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPAuthority, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties};

use crate::report::Failed;

const QUEUE: &str = "chaos.step.full";

/// Keeps the queue until `ended` resolves.
pub(crate) async fn full(ended: impl Future<Output = ()>) -> Result<(), Failed> {
    let var = |part: &str| env::var(format!("CHAOS_AMQP_{part}"));
    let uri = AMQPUri {
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: var("USER")?, password: var("PASS")? },
            host: var("HOST")?,
            port: var("PORT")?.parse()?,
        },
        vhost: "/".to_owned(),
        ..AMQPUri::default()
    };
    let connection = Connection::connect_uri(uri, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    channel.queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), arguments).await?;
    let options = QueueBindOptions::default();
    channel.queue_bind(QUEUE.into(), "chaos".into(), "step".into(), options, FieldTable::default()).await?;
    ended.await;
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    Ok(connection.close(200, "OK".into()).await?)
}
