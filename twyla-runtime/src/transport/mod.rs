//! Transports: RabbitMQ, or the memory of this process.

#[cfg(feature = "amqp")]
pub(crate) mod amqp;
mod delivery;
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only messages of RabbitMQ have such values"))]
pub(crate) mod field;
mod interface;
pub(crate) mod memory;
mod message;
mod queue;
mod queue_names;
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only messages of RabbitMQ have such properties"))]
pub(crate) mod sender_properties;
pub(crate) mod state;

pub(crate) use delivery::{Delivery, Subscription};
pub(crate) use interface::{PublishFailure, Transport, Unpublished};
pub(crate) use message::{Outgoing, PublishTarget, new_message_id};
pub use queue::QueueKind;
pub(crate) use queue::QueueSpec;
pub(crate) use queue_names::{dead_name, queue_name};
