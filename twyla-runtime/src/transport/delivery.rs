//! Deliveries and subscriptions.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::sender_properties::SenderProperties;
use crate::contract::envelope::{self, Envelope};
use crate::dead_letter::headers::Header;
use crate::future::BoxFuture;
use crate::progress::DeliveryProgress;
use crate::service::ack::Ack;
use crate::telemetry::trace::TraceContext;
use crate::wire::{self, Form};
use twyla_codec::validate::Violation;

/// A running consumer.
pub(crate) struct Subscription {
    /// Deliveries, in batches as they arrive; ends when the transport is closed.
    pub(crate) deliveries: mpsc::UnboundedReceiver<Vec<Delivery>>,
    /// Whether the consumer exists now.
    pub(crate) consuming: watch::Receiver<bool>,
    /// Dropping the sender cancels the consumer. Deliveries that have already arrived can still be settled.
    pub(crate) stop: watch::Sender<()>,
    /// Notified to renew the consumer: all unsettled deliveries are requeued, and delivered again in order.
    pub(crate) renew: Arc<Notify>,
    /// Resolves when all deliveries are settled and the consumer is cancelled.
    pub(crate) done: BoxFuture<'static, ()>,
}

/// A delivered message.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) body: Bytes,
    pub(crate) exchange: Cow<'static, str>,
    pub(crate) routing_key: Cow<'static, str>,
    pub(crate) message_id: Option<String>,
    /// How often the message was delivered before without being settled; 1 for "at least once" if the broker doesn't count.
    pub(crate) redeliveries: u32,
    pub(crate) headers: Vec<(String, Header)>,
    /// The sender's trace context.
    pub(crate) trace: Option<TraceContext>,
    /// The other properties, as the sender wrote them.
    pub(crate) original: Option<SenderProperties>,
    /// The parts of the event, or their violation, if the message is a CloudEvent that its listener has begun to read.
    pub(crate) cloud_event: Option<Box<Result<Envelope, Violation>>>,
    /// Decides on the message; dropping it without a decision requeues the message.
    pub(crate) ack: Ack,
    /// When the message was delivered; the broker's `consumer_timeout` counts from here.
    pub(crate) arrived: Instant,
    /// Marks the delivery as in progress until it is dropped.
    pub(crate) progress: DeliveryProgress,
}

impl Delivery {
    /// Reads the message if it is a CloudEvent of at most `most` bytes. The event then gives the delivery the message id and the trace
    /// that the message itself doesn't have.
    pub(crate) fn read_cloud_event(mut self, event: &str, most: usize) -> Self {
        if self.body.len() > most {
            // dead-lettered unread
            return self;
        }
        let read = wire::read(&self.body, &self.headers, self.original.as_ref(), event);
        self.cloud_event = read.map(|read| {
            Box::new(read.map(|event| {
                self.message_id.get_or_insert(event.identity);
                self.trace = self.trace.take().or(event.trace);
                event.envelope
            }))
        });
        self
    }

    /// Returns the form of the message.
    pub(crate) fn form(&self) -> Form {
        Form::of(&self.headers, self.original.as_ref())
    }

    /// Returns the parts of the event.
    ///
    /// # Errors
    /// A [`Violation`] if the message isn't an event of this name in any form.
    pub(crate) fn envelope(&self, event: &str) -> Result<Envelope, Violation> {
        match &self.cloud_event {
            Some(read) => (**read).clone(),
            None => envelope::decode(&self.body, event),
        }
    }
}
