//! The errors of a bus, and their messages.

use std::fmt;
use std::time::Duration;

use super::config::ConfigError;
use twyla_codec::validate::Refusal;

/// An error of a bus.
///
/// Its `Debug` is its `Display`, so that a `main` that returns it prints a sentence. A password is never part of it.
#[non_exhaustive]
pub enum Error {
    /// The configuration is missing a value, or has a bad one.
    Config(ConfigError),

    /// The content of an event breaks its contract. Nothing was sent.
    Content {
        /// The event's name.
        event: &'static str,
        /// The location of the contract's schema: file and line.
        schema: &'static str,
        /// Each rule that the content breaks.
        refusal: Refusal,
    },

    /// The context of an event breaks its contract. Nothing was sent.
    Context {
        /// The event's name.
        event: &'static str,
        /// The location of the contract's schema: file and line.
        schema: &'static str,
        /// Each rule that the context breaks.
        refusal: Refusal,
    },

    /// An event is larger than [`Config::max_event`](crate::Config::max_event) allows, or than the broker
    /// accepts. No listener will receive it.
    TooLarge {
        /// The event's name.
        event: &'static str,
        /// The size of the event with its envelope, in bytes.
        bytes: usize,
        /// The maximum size, in bytes.
        most: usize,
        /// Whether `most` is the broker's limit, RabbitMQ's `max_message_size`. The bus learns the limit when the broker refuses
        /// a larger event; later events above the limit aren't sent on the same connection.
        broker: bool,
    },

    /// The broker refuses an event permanently, for example because this user may not write to the exchange or declare it. A
    /// retry fails until the cause is removed.
    Refused {
        /// The event's name.
        event: &'static str,
        /// The message id of the event, whether or not the event was sent.
        message_id: String,
        /// Whether the broker may have received the event anyway, from an earlier attempt whose confirm was lost. `false` is
        /// certain: no listener will receive the event.
        maybe_sent: bool,
        /// The broker's reason. It names the exchange.
        why: String,
    },

    /// The broker did not confirm an event in time.
    Unconfirmed {
        /// The event's name.
        event: &'static str,
        /// The message id of the event, whether or not the event was sent.
        message_id: String,
        /// Whether the broker may have received the event. `false` is certain: no listener will receive it.
        maybe_sent: bool,
        /// The deadline that has passed.
        deadline: Duration,
        /// The last error before the deadline.
        why: String,
    },

    /// The broker could not be reached, or refused the connection.
    Connect {
        /// Host, port and virtual host.
        address: String,
        /// The user.
        user: String,
        /// The reason.
        why: String,
    },

    /// A listener's queue could not be declared or consumed from.
    Listen {
        /// The queue's name.
        queue: String,
        /// The reason.
        why: String,
    },

    /// A dead queue could not be read.
    DeadLetters {
        /// The queue's name.
        queue: String,
        /// The reason.
        why: String,
    },

    /// A handler takes a state that the service doesn't have.
    MissingState {
        /// The handler function.
        listener: &'static str,
        /// The state's type.
        state: &'static str,
        /// The method of the service that adds the state.
        by: &'static str,
    },

    /// An event could not be put into an outbox.
    Outbox {
        /// The event's name.
        event: &'static str,
        /// The error of the database.
        why: String,
        /// Whether the database itself failed. A handler that returns this error is called again until the outbox takes the
        /// event, and its attempts don't count. `false` if an earlier statement of the same transaction has failed.
        passes: bool,
    },

    /// Two listeners of one service are in the same group of the same event, so each event would go to only one of them.
    DuplicateListener {
        /// The event's name.
        event: &'static str,
        /// The group.
        group: &'static str,
        /// The handler function that was registered first.
        first: &'static str,
        /// The other handler function.
        second: &'static str,
    },

    /// Two RPCs of one service have the same path.
    DuplicateRpc {
        /// The last segment of the path.
        method: &'static str,
        /// The handler function that was registered first.
        first: &'static str,
        /// The other handler function.
        second: &'static str,
    },

    /// The service can't listen on an address, either for its RPCs or for its health.
    Serve {
        /// The address.
        address: String,
        /// The reason.
        why: String,
    },

    /// RPCs must be served over HTTP, but this build lacks the feature `rpc-server`.
    NoRpcServer,

    /// Something must be served over HTTP, but the service has no address.
    NoAddress {
        /// A description of the part that can't be served.
        what: &'static str,
    },

    /// Signal handlers can't be installed.
    Signals(std::io::Error),

    /// The bus was closed.
    Closed,

    /// RabbitMQ is configured, but this build has no transport for it.
    NoAmqp(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => fmt::Display::fmt(error, f),
            Self::Content { event, schema, refusal } => {
                write!(f, "{event} was not sent: its content breaks the contract in {schema}: {refusal}")
            }
            Self::Context { event, schema, refusal } => {
                write!(f, "{event} was not sent: its context breaks the contract in {schema}: {refusal}")
            }
            Self::TooLarge { event, bytes, most, broker } => {
                let limit = if *broker {
                    format!("RabbitMQ accepts at most {most} (`max_message_size`)")
                } else {
                    format!("at most {most} are allowed (`Config::max_event`)")
                };
                write!(
                    f,
                    "{event} was not sent: it has {bytes} bytes, and {limit}; store large data elsewhere and emit its address"
                )
            }
            Self::Refused { event, maybe_sent, why, .. } => {
                write!(f, "RabbitMQ refuses {event}: {why}; {}", sent(*maybe_sent))
            }
            Self::Unconfirmed { event, maybe_sent, deadline, why, .. } => {
                write!(f, "{event} was not confirmed within {deadline:?} ({why}); {}", sent(*maybe_sent))
            }
            Self::Connect { address, user, why } => {
                write!(f, "can't connect to RabbitMQ at {address} as `{user}`: {why}")
            }
            Self::Listen { queue, why } => write!(f, "can't listen on the queue `{queue}`: {why}"),
            Self::DeadLetters { queue, why } => write!(f, "can't read the dead queue `{queue}`: {why}"),
            Self::MissingState { listener, state, by } => {
                let (takes, lacks) = match *by {
                    ".state(..)" => (format!("State<{state}>"), "no such state"),
                    ".rpc(..)" => ((*state).to_owned(), "no `Rpc`"),
                    _ => ((*state).to_owned(), "no dedupe store"),
                };
                write!(f, "the handler `{listener}` takes `{takes}`, but the service has {lacks}: add `{by}`")
            }
            Self::Outbox { event, why, .. } => write!(f, "{event} could not be put into the outbox: {why}"),
            Self::DuplicateListener { event, group, first, second } => write!(
                f,
                "`{first}` and `{second}` both listen to {event} in the group `{group}`: each event would go to only one \
                 of them; give one of them another group"
            ),
            Self::DuplicateRpc { method, first, second } if first == second => {
                write!(f, "`{first}` is registered twice to serve /rpc/{method}: register it once")
            }
            Self::DuplicateRpc { method, first, second } => {
                write!(f, "`{first}` and `{second}` both serve /rpc/{method}: remove one of them")
            }
            Self::Serve { address, why } => write!(f, "can't serve on {address}: {why}"),
            Self::NoRpcServer => f.write_str(
                "the service has RPCs, but twyla-runtime was built without its feature `rpc-server`: enable the feature, or, for \
                 calls within this process, pass an `Rpc::in_memory()` to `.rpc(..)`",
            ),
            Self::NoAddress { what } => write!(
                f,
                "{what} can't be served, because `Serve::mounted()` has no address: use `Serve::on(..)`, or `start()` the \
                 service and add `Running::router()` to an app that you serve yourself"
            ),
            Self::Signals(error) => write!(f, "can't wait for SIGINT and SIGTERM: {error}"),
            Self::Closed => f.write_str("the bus is closed"),
            Self::NoAmqp(variable) => {
                write!(f, "{variable} is set, but twyla-runtime was built without its feature `amqp`")
            }
        }
    }
}

fn sent(maybe: bool) -> &'static str {
    if maybe { "it may have been sent" } else { "it was not sent" }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => error.source(),
            _ => None,
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// Returns the rules that a refused content or context breaks.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Content { refusal, .. } | Self::Context { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}
