//! The broker's part: the exchange, a queue of either kind, and its waiting events.

use lapin::options::{
    ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPAuthority, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use twyla_runtime::QueueKind;

use crate::workload::Result;

/// The exchange of `api.user_input`.
pub(crate) const EXCHANGE: &str = "api";
/// Its routing key.
pub(crate) const KEY: &str = "user_input";
/// The queue of the group `bench`.
pub(crate) const QUEUE: &str = "api.user_input.bench";

/// A connection beside the bus, to the broker that `TWYLA_TEST_AMQP_*` names.
pub(crate) async fn connect() -> Result<Connection> {
    let var = |part: &str| std::env::var(format!("TWYLA_TEST_AMQP_{part}"));
    let uri = AMQPUri {
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: var("USER")?, password: var("PASS")? },
            host: var("HOST")?,
            port: var("PORT")?.parse()?,
        },
        ..AMQPUri::default()
    };
    Ok(Connection::connect_uri(uri, ConnectionProperties::default()).await?)
}

/// A channel with confirms.
pub(crate) async fn confirming(connection: &Connection) -> Result<Channel> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

/// Declares the exchange and an empty queue of this kind, bound to it.
pub(crate) async fn make(connection: &Connection, kind: QueueKind) -> Result {
    let channel = connection.create_channel().await?;
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    let mut arguments = FieldTable::default();
    if kind == QueueKind::Quorum {
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(1_000_000_000));
    }
    channel.queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), arguments).await?;
    channel
        .queue_bind(QUEUE.into(), EXCHANGE.into(), KEY.into(), QueueBindOptions::default(), FieldTable::default())
        .await?;
    Ok(channel.close(200, "OK".into()).await?)
}
