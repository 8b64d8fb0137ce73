//! Messages as they come in, and what consumes them.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::sender_properties::Original;
use crate::dead_letter::letter::Header;
use crate::future::BoxFuture;
use crate::progress::DeliveryProgress;
use crate::service::ack::Ack;
use crate::telemetry::trace::TraceContext;

/// A running consumer.
pub(crate) struct Subscription {
    /// What the broker delivers, what came together at once; ends if the transport is closed.
    pub(crate) deliveries: mpsc::UnboundedReceiver<Vec<Delivery>>,
    /// Whether the consumer is there now.
    pub(crate) there: watch::Receiver<bool>,
    /// Dropping it stops the deliveries. Decisions on what was delivered are still taken.
    pub(crate) intake: watch::Sender<()>,
    /// Notified to have the consumer made again: all deliveries that are not decided on go back, and come again in their order.
    pub(crate) renew: Arc<Notify>,
    /// Resolves when all deliveries are decided on and the consumer is gone.
    pub(crate) done: BoxFuture<'static, ()>,
}

/// One message as it came in.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) body: Bytes,
    pub(crate) exchange: Cow<'static, str>,
    pub(crate) routing_key: Cow<'static, str>,
    pub(crate) message_id: Option<String>,
    /// How often it was delivered before and not settled; where the broker doesn't count, 1 for "before".
    pub(crate) redeliveries: u32,
    pub(crate) headers: Vec<(String, Header)>,
    /// Where in its trace it was sent.
    pub(crate) trace: Option<TraceContext>,
    /// Its other properties.
    pub(crate) original: Option<Original>,
    /// If it is dropped undecided, the message goes back to its queue.
    pub(crate) ack: Ack,
    /// When it was delivered: the broker's `consumer_timeout` counts from here.
    pub(crate) arrived: Instant,
    /// For as long as it is there, it is under way.
    pub(crate) progress: DeliveryProgress,
}
