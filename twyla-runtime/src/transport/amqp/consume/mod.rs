//! Consumers, deliveries, acks, and access to dead queues.

pub(crate) mod acks;
pub(crate) mod consumer;
pub(crate) mod dead_letters;
pub(crate) mod deliveries;
pub(crate) mod fetch;
