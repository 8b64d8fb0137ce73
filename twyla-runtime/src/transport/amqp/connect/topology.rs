//! Exchanges, queues and bindings: made where they are missing, used as they are where they are there.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, Error, ErrorKind, ExchangeKind};

use crate::transport::amqp::error::{ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED, is, said};
use crate::transport::{QueueKind, QueueSpec};

/// A quorum queue of RabbitMQ 4 throws a message away when it was given back 20 times. Nothing may be lost here, so the
/// limit is set out of reach; `-1`, which means "none" there, means "at once" to RabbitMQ 3.10.
const DELIVERY_LIMIT: i32 = 1_000_000_000;

/// Makes what is missing. Remembers what it has warned of.
#[derive(Debug)]
pub(crate) struct Topology {
    vhost: String,
    adopted: Mutex<HashSet<String>>,
}

/// What can't be made or used, and why.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What was to be done, with what the user needs for it; empty if the error says it.
    what: String,
    needs: &'static str,
    pub(crate) error: Error,
}

impl Failed {
    pub(crate) fn at(what: String, needs: &'static str) -> impl FnOnce(Error) -> Self {
        move |error| Self { what, needs, error }
    }

    /// The broker's words, with what was to be done and the right that is missing for it.
    pub(crate) fn why(self) -> String {
        let is_refused = is(&self.error, ACCESS_REFUSED);
        let is_limit = matches!(self.error.kind(), ErrorKind::ChannelsLimitReached);
        let Self { what, needs, error } = self;
        match said(error) {
            words if is_limit => format!("{words}: raise `channel_max`, or have fewer listeners on one bus"),
            words if what.is_empty() => words,
            words if is_refused && !needs.is_empty() => format!("can't {what}: {words}: the user needs {needs}"),
            words => format!("can't {what}: {words}"),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { what: String::new(), needs: "", error }
    }
}

/// What can be declared.
#[derive(Clone, Copy, Debug)]
enum Thing<'a> {
    Exchange(&'a str),
    Queue(&'a str, QueueKind),
    /// A group's queue, which gives what the broker drops of it to the dead queue.
    Group(&'a QueueSpec),
    /// A group's queue as it was made before it did that.
    Plain(&'a QueueSpec),
    /// What gives its messages back to the queue of a group after a while.
    Retry(&'a str, &'a str, Duration),
}

impl Thing<'_> {
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
            // A classic queue gives what it drops to another without a confirm, and a quorum queue too unless it is told.
            if let Some(back) = back {
                add("x-dead-letter-exchange", text(""));
                add("x-dead-letter-routing-key", text(back));
                add("x-dead-letter-strategy", text("at-least-once"));
                add("x-overflow", text("reject-publish"));
            }
        }
        arguments
    }

    /// What it is, and its name.
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
    /// What a virtual host has.
    pub(crate) fn of(vhost: &str) -> Self {
        Self { vhost: vhost.to_owned(), adopted: Mutex::default() }
    }

    /// Makes sure of a domain's exchange.
    pub(crate) async fn exchange(&self, connection: &Connection, domain: &str) -> Result<(), Error> {
        self.made_or_adopted(connection, Thing::Exchange(domain)).await.map(drop)
    }

    /// Makes sure of a queue.
    pub(crate) async fn queue(&self, connection: &Connection, name: &str, kind: QueueKind) -> Result<(), Error> {
        self.made_or_adopted(connection, Thing::Queue(name, kind)).await.map(drop)
    }

    /// Makes sure of the queue that gives messages back to a group's after `pause`.
    pub(crate) async fn retry(&self, connection: &Connection, spec: &QueueSpec, pause: Duration) -> Result<(), Error> {
        self.made_or_adopted(connection, Thing::Retry(&spec.retry(pause), &spec.name, pause)).await.map(drop)
    }

    /// Makes sure of all that a group needs to listen to an event.
    pub(crate) async fn listener(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Failed> {
        let make = |what: &str, name: &str| Failed::at(format!("make the {what} `{name}`"), "`configure` on it");
        self.exchange(connection, spec.domain).await.map_err(make("exchange", spec.domain))?;
        self.queue(connection, &spec.dead, spec.kind).await.map_err(make("queue", &spec.dead))?;
        self.group(connection, spec).await.map_err(make("queue", &spec.name))?;
        self.bind(connection, spec).await.map_err(Failed::at(
            format!("bind the queue `{}` to the exchange `{}`", spec.name, spec.domain),
            "`write` on the queue and `read` on the exchange",
        ))
    }

    /// Makes sure of a group's queue, and of the way from it to the dead queue for what the broker itself drops.
    async fn group(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        if spec.kind == QueueKind::Classic {
            // made as the Python original makes it
            return self.made_or_adopted(connection, Thing::Group(spec)).await.map(drop);
        }
        let channel = connection.create_channel().await?;
        let error = match Thing::Group(spec).declare(&channel, false).await {
            Ok(()) => return channel.close(200, "OK".into()).await,
            // It is there with other arguments, or the broker doesn't let this user (or any) make it so.
            Err(error) if is(&error, PRECONDITION_FAILED) || is(&error, ACCESS_REFUSED) => error,
            Err(error) => return Err(error),
        };
        let may_lack = match self.made_or_adopted(connection, Thing::Plain(spec)).await? {
            Made::AsWanted => true,
            // Of a queue that may not be declared the arguments are not known.
            Made::Adopted => is(&error, PRECONDITION_FAILED),
        };
        if may_lack && self.first(format!("route {}", spec.name)) {
            let (queue, dead) = (spec.name.as_str(), spec.dead.as_str());
            tracing::warn!(
                queue,
                error = %error,
                "what RabbitMQ itself drops of this queue (a delivery limit, a time to live or a length limit that is set by \
                 policy) is not kept in `{dead}`, unless a policy says so: {}. A queue has one policy: if it has another, add \
                 these keys to that",
                self.policy(spec)
            );
        }
        Ok(())
    }

    /// The command that gives a queue its way to the dead queue.
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

    /// Looks whether an exchange is still there, makes it again if not, and binds the queue to it: a binding can't be asked
    /// for, and making it again changes nothing where it is there.
    pub(crate) async fn heal(&self, connection: &Connection, spec: &QueueSpec) -> Result<(), Error> {
        let is_gone = |error: &Error| is(error, NOT_FOUND);
        let channel = connection.create_channel().await?;
        let looked = Thing::Exchange(spec.domain).declare(&channel, true).await;
        let bound = match looked {
            Ok(()) => {
                channel.close(200, "OK".into()).await?;
                self.bind(connection, spec).await
            }
            // The binding tells as well.
            Err(error) if is(&error, ACCESS_REFUSED) => self.bind(connection, spec).await,
            Err(error) => Err(error),
        };
        match bound {
            Err(error) if is_gone(&error) => {
                tracing::warn!(exchange = spec.domain, "the exchange is gone, making it again");
                self.exchange(connection, spec.domain).await?;
                self.bind(connection, spec).await
            }
            bound => bound,
        }
    }

    /// How many messages wait in a queue.
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

    /// A declare that fails closes its channel, so each has one of its own.
    async fn made_or_adopted(&self, connection: &Connection, thing: Thing<'_>) -> Result<Made, Error> {
        let channel = connection.create_channel().await?;
        let error = match thing.declare(&channel, false).await {
            Ok(()) => {
                channel.close(200, "OK".into()).await?;
                return Ok(Made::AsWanted);
            }
            // It is there with other arguments, or this user may use it but not make it.
            Err(error) if is(&error, PRECONDITION_FAILED) || is(&error, ACCESS_REFUSED) => error,
            Err(error) => return Err(error),
        };
        let (what, name) = thing.name();
        match self.look(connection, thing, &error).await? {
            Look::There => {
                if self.first(format!("{what} {name}")) {
                    tracing::warn!(what, name, error = %error, "is there already and is used as it is");
                }
                Ok(Made::Adopted)
            }
            Look::Unseen => {
                if self.first(format!("{what} {name}")) {
                    tracing::warn!(
                        what,
                        name,
                        error = %error,
                        "may not be made by this user, nor looked at (RabbitMQ 4.2.6 and 4.3.0 ask for `configure` for that, \
                         later ones for any right): it is taken to be there"
                    );
                }
                Ok(Made::Adopted)
            }
            Look::Missing => Err(error),
        }
    }

    /// Whether that is there which could not be declared.
    async fn look(&self, connection: &Connection, thing: Thing<'_>, error: &Error) -> Result<Look, Error> {
        // The broker compares with what is there.
        if is(error, PRECONDITION_FAILED) && error.to_string().contains("inequivalent arg") {
            return Ok(Look::There);
        }
        let channel = connection.create_channel().await?;
        match thing.declare(&channel, true).await {
            Ok(()) => {
                channel.close(200, "OK".into()).await?;
                Ok(Look::There)
            }
            Err(looked) if is(&looked, ACCESS_REFUSED) && is(error, ACCESS_REFUSED) => Ok(Look::Unseen),
            Err(_) => Ok(Look::Missing),
        }
    }

    /// Whether this is warned of for the first time.
    fn first(&self, what: String) -> bool {
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner).insert(what)
    }
}

/// How that is there which was made sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    AsWanted,
    /// It may have other arguments.
    Adopted,
}

/// What a look at something has shown.
enum Look {
    There,
    Missing,
    /// The user has no right to see it.
    Unseen,
}

/// Whether a character stands for itself in a pattern.
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
