//! Exchanges, queues and bindings: declared if they are missing, used unchanged if they exist.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, Error, ErrorKind, ExchangeKind};

use crate::transport::amqp::error::{ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED, describe, is};
use crate::transport::{QueueKind, QueueSpec};

/// By default, a quorum queue of RabbitMQ 4 drops a message after 20 redeliveries. Events must not be lost, so the limit is
/// practically infinite. RabbitMQ 4 accepts `-1` for "none", but RabbitMQ 3.10 takes it as "drop at once".
const DELIVERY_LIMIT: i32 = 1_000_000_000;

/// Declares missing exchanges, queues and bindings, and warns once about each entity that differs.
#[derive(Debug)]
pub(crate) struct Topology {
    vhost: String,
    adopted: Mutex<HashSet<String>>,
}

/// An entity that can't be declared or used.
#[derive(Debug)]
pub(crate) struct TopologyError {
    /// The attempted action and the permission that it needs; empty if the error names them.
    what: String,
    needs: &'static str,
    pub(crate) error: Error,
}

impl TopologyError {
    pub(crate) fn at(what: String, needs: &'static str) -> impl FnOnce(Error) -> Self {
        move |error| Self { what, needs, error }
    }

    /// Returns the broker's message with the attempted action and the missing permission.
    pub(crate) fn why(self) -> String {
        let is_refused = is(&self.error, ACCESS_REFUSED);
        let is_limit = matches!(self.error.kind(), ErrorKind::ChannelsLimitReached);
        let Self { what, needs, error } = self;
        match describe(error) {
            words if is_limit => format!("{words}: raise `channel_max`, or use fewer listeners on one bus"),
            words if what.is_empty() => words,
            words if is_refused && !needs.is_empty() => format!("can't {what}: {words}: the user needs {needs}"),
            words => format!("can't {what}: {words}"),
        }
    }
}

impl From<Error> for TopologyError {
    fn from(error: Error) -> Self {
        Self { what: String::new(), needs: "", error }
    }
}

/// An entity to declare.
#[derive(Clone, Copy, Debug)]
enum Declaration<'a> {
    Exchange(&'a str),
    Queue(&'a str, QueueKind),
    /// A group's queue, with the dead queue as its dead-letter target.
    Group(&'a QueueSpec),
    /// A group's queue without a dead-letter target, as earlier versions declared it.
    Plain(&'a QueueSpec),
    /// A retry queue: its name, the queue that it returns messages to, and the pause.
    Retry(&'a str, &'a str, Duration),
}

impl Declaration<'_> {
    fn arguments(self) -> FieldTable {
        let mut arguments = FieldTable::default();
        let mut add = |name: &str, value: AMQPValue| {
            arguments.insert(name.into(), value);
        };
        let text = |text: &str| AMQPValue::LongString(text.into());
        let (kind, single, back) = match self {
            Self::Exchange(_) => return arguments,
            Self::Queue(_, kind) => (kind, false, None),
            Self::Group(spec) => (spec.kind, spec.single, Some(spec.dead.as_str())),
            Self::Plain(spec) => (spec.kind, spec.single, None),
            Self::Retry(_, back, _) => (QueueKind::Quorum, false, Some(back)),
        };
        if single {
            add("x-single-active-consumer", AMQPValue::Boolean(true));
        }
        if let Self::Retry(_, _, pause) = self {
            add("x-message-ttl", AMQPValue::LongLongInt(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)));
        }
        if kind == QueueKind::Quorum {
            add("x-queue-type", text("quorum"));
            add("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT));
            // without `at-least-once`, dead-lettering by the broker may lose messages; classic queues don't support this
            // strategy
            if let Some(back) = back {
                add("x-dead-letter-exchange", text(""));
                add("x-dead-letter-routing-key", text(back));
                add("x-dead-letter-strategy", text("at-least-once"));
                add("x-overflow", text("reject-publish"));
            }
        }
        arguments
    }

    /// Returns the type and the name of the entity.
    fn name(&self) -> (&'static str, &str) {
        match self {
            Self::Exchange(name) => ("exchange", name),
            Self::Queue(name, _) | Self::Retry(name, ..) => ("queue", name),
            Self::Group(spec) | Self::Plain(spec) => ("queue", &spec.name),
        }
    }

    async fn declare(self, channel: &Channel, passive: bool) -> Result<(), Error> {
        match self {
            Self::Exchange(name) => {
                let options = ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
                channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default()).await
            }
            Self::Queue(..) | Self::Group(_) | Self::Plain(_) | Self::Retry(..) => {
                let (_, name) = self.name();
                let options = QueueDeclareOptions { passive, ..QueueDeclareOptions::durable() };
                channel.queue_declare(name.into(), options, self.arguments()).await.map(drop)
            }
        }
    }
}

impl Topology {
    /// Creates the topology of a virtual host.
    pub(crate) fn of(vhost: &str) -> Self {
        Self { vhost: vhost.to_owned(), adopted: Mutex::default() }
    }

    /// Ensures that a domain's exchange exists.
    pub(crate) async fn exchange(&self, connection: &Connection, domain: &str) -> Result<(), Error> {
        self.made_or_adopted(connection, Declaration::Exchange(domain)).await.map(drop)
    }

    /// Ensures that a queue exists.
    pub(crate) async fn queue(&self, connection: &Connection, name: &str, kind: QueueKind) -> Result<(), Error> {
        self.made_or_adopted(connection, Declaration::Queue(name, kind)).await.map(drop)
    }

    /// Ensures that the retry queue for `pause` exists.
    pub(crate) async fn retry(&self, connection: &Connection, spec: &QueueSpec, pause: Duration) -> Result<(), Error> {
        self.made_or_adopted(connection, Declaration::Retry(&spec.retry(pause), &spec.name, pause)).await.map(drop)
    }

    /// Ensures that everything a group needs to listen to an event exists.
    pub(crate) async fn listener(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), TopologyError> {
        let make = |what: &str, name: &str| {
            TopologyError::at(format!("declare the {what} `{name}`"), "the permission `configure` on it")
        };
        self.exchange(connection, spec.domain).await.map_err(make("exchange", spec.domain))?;
        self.queue(connection, &spec.dead, spec.kind).await.map_err(make("queue", &spec.dead))?;
        self.group(connection, spec).await.map_err(make("queue", &spec.name))?;
        self.bind(connection, spec).await.map_err(TopologyError::at(
            format!("bind the queue `{}` to the exchange `{}`", spec.name, spec.domain),
            "the permissions `write` on the queue and `read` on the exchange",
        ))
    }

    /// Ensures that a group's queue exists, and warns if the broker doesn't dead-letter from it.
    async fn group(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        if spec.kind == QueueKind::Classic {
            // declared as the Python original declares it
            return self.made_or_adopted(connection, Declaration::Group(spec)).await.map(drop);
        }
        let channel = connection.create_channel().await?;
        let error = match Declaration::Group(spec).declare(&channel, false).await {
            Ok(()) => return channel.close(200, "OK".into()).await,
            // the queue exists with other arguments, or the user may not declare it with a dead-letter target
            Err(error) if is(&error, PRECONDITION_FAILED) || is(&error, ACCESS_REFUSED) => error,
            Err(error) => return Err(error),
        };
        let may_lack = match self.made_or_adopted(connection, Declaration::Plain(spec)).await? {
            DeclareOutcome::AsWanted => true,
            // the arguments of a queue that the user may not declare are unknown
            DeclareOutcome::Adopted => is(&error, PRECONDITION_FAILED),
        };
        if may_lack && self.first(format!("route {}", spec.name)) {
            let (queue, dead) = (spec.name.as_str(), spec.dead.as_str());
            tracing::warn!(
                queue,
                error = %error,
                "RabbitMQ drops messages of this queue that exceed a delivery limit, a time to live or a length limit of a policy; \
                 to move them to `{dead}` instead, set this policy: {}. A queue has only one policy: if it already has one, \
                 add these keys to it",
                self.policy(spec)
            );
        }
        Ok(())
    }

    /// Returns the command that sets the dead queue as the dead-letter target.
    fn policy(&self, spec: &QueueSpec) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let pattern: String =
            spec.name.chars().flat_map(|c| (!is_plain(c)).then_some('\\').into_iter().chain([c])).collect();
        let definition = serde_json::json!({
            "dead-letter-exchange": "",
            "dead-letter-routing-key": spec.dead,
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
        });
        format!(
            "rabbitmqctl set_policy --vhost {} --apply-to queues {} {} {}",
            quoted(&self.vhost),
            quoted(&format!("{} to dead", spec.name)),
            quoted(&format!("^{pattern}$")),
            quoted(&definition.to_string()),
        )
    }

    /// Declares the exchange again if it is missing, and binds the queue to it: AMQP can't query a binding, and binding again is
    /// a no-op.
    pub(crate) async fn heal(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        let is_gone = |error: &Error| is(error, NOT_FOUND);
        let channel = connection.create_channel().await?;
        let looked = Declaration::Exchange(spec.domain).declare(&channel, true).await;
        let bound = match looked {
            Ok(()) => {
                channel.close(200, "OK".into()).await?;
                self.bind(connection, spec).await
            }
            // the user may not check the exchange, but binding fails too if it is missing
            Err(error) if is(&error, ACCESS_REFUSED) => self.bind(connection, spec).await,
            Err(error) => Err(error),
        };
        match bound {
            Err(error) if is_gone(&error) => {
                tracing::warn!(exchange = spec.domain, "the exchange is gone, declaring it again");
                self.exchange(connection, spec.domain).await?;
                self.bind(connection, spec).await
            }
            bound => bound,
        }
    }

    /// Returns the number of ready messages in a queue.
    pub(crate) async fn ready(&self, connection: &Connection, queue: &str) -> Result<u32, Error> {
        let channel = connection.create_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await?;
        channel.close(200, "OK".into()).await?;
        Ok(declared.message_count())
    }

    async fn bind(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        let channel = connection.create_channel().await?;
        let (queue, exchange, key) = (spec.name.as_str(), spec.domain, spec.event_type);
        let options = QueueBindOptions::default();
        channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await?;
        channel.close(200, "OK".into()).await
    }

    /// Declares an entity, or accepts an existing one that differs. A failed declaration closes its channel, so each declaration
    /// uses a new channel.
    async fn made_or_adopted(
        &self,
        connection: &Connection,
        declaration: Declaration<'_>,
    ) -> Result<DeclareOutcome, Error> {
        let channel = connection.create_channel().await?;
        let error = match declaration.declare(&channel, false).await {
            Ok(()) => {
                channel.close(200, "OK".into()).await?;
                return Ok(DeclareOutcome::AsWanted);
            }
            // the entity exists with other arguments, or the user may use it but not declare it
            Err(error) if is(&error, PRECONDITION_FAILED) || is(&error, ACCESS_REFUSED) => error,
            Err(error) => return Err(error),
        };
        let (what, name) = declaration.name();
        match self.existence(connection, declaration, &error).await? {
            Existence::There => {
                if self.first(format!("{what} {name}")) {
                    tracing::warn!(
                        what,
                        name,
                        error = %error,
                        "the {what} already exists with other arguments, or this user may not declare it: it is used unchanged"
                    );
                }
                Ok(DeclareOutcome::Adopted)
            }
            Existence::Unseen => {
                if self.first(format!("{what} {name}")) {
                    tracing::warn!(
                        what,
                        name,
                        error = %error,
                        "this user has no permission to declare the {what} or to check that it exists (RabbitMQ 4.2.6 and 4.3.0 \
                         require `configure` for the check, later versions any permission): Twyla assumes that it exists"
                    );
                }
                Ok(DeclareOutcome::Adopted)
            }
            Existence::Missing => Err(error),
        }
    }

    /// Checks whether an entity that could not be declared exists.
    async fn existence(
        &self,
        connection: &Connection,
        declaration: Declaration<'_>,
        error: &Error,
    ) -> Result<Existence, Error> {
        // this error reports a difference from the arguments of the existing entity
        if is(error, PRECONDITION_FAILED) && error.to_string().contains("inequivalent arg") {
            return Ok(Existence::There);
        }
        let channel = connection.create_channel().await?;
        match declaration.declare(&channel, true).await {
            Ok(()) => {
                channel.close(200, "OK".into()).await?;
                Ok(Existence::There)
            }
            Err(looked) if is(&looked, ACCESS_REFUSED) && is(error, ACCESS_REFUSED) => Ok(Existence::Unseen),
            Err(_) => Ok(Existence::Missing),
        }
    }

    /// Returns whether this is the first warning about `what`.
    fn first(&self, what: String) -> bool {
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner).insert(what)
    }
}

/// The result of a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeclareOutcome {
    AsWanted,
    /// The entity exists, possibly with other arguments.
    Adopted,
}

/// Whether an entity exists.
enum Existence {
    There,
    Missing,
    /// The user has no permission to check.
    Unseen,
}

/// Returns whether a character needs no escape in a regular expression.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_has_the_queue_alone() {
        let spec = QueueSpec {
            event: "shop.order",
            domain: "shop",
            event_type: "order",
            group: "mail",
            name: "shop.order.mail".to_owned(),
            dead: "shop.order.mail.dead".to_owned(),
            kind: QueueKind::Quorum,
            prefetch: 1,
            single: false,
        };
        assert_eq!(
            Topology::of("it's").policy(&spec),
            r#"rabbitmqctl set_policy --vhost 'it'\''s' --apply-to queues 'shop.order.mail to dead' '^shop\.order\.mail$' '{"dead-letter-exchange":"","dead-letter-routing-key":"shop.order.mail.dead","dead-letter-strategy":"at-least-once","overflow":"reject-publish"}'"#
        );
    }
}
