//! Connections to RabbitMQ with automatic reconnect, and the topology declared over them.

pub(crate) mod backoff;
pub(crate) mod connected;
pub(crate) mod connection;
pub(crate) mod dial;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod topology;
