//! Connections to RabbitMQ, made again after every loss, and what is declared over them.

pub(crate) mod connected;
pub(crate) mod connection;
pub(crate) mod dial;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod topology;
