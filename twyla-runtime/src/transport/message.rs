//! Outgoing messages and their destinations.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::queue::QueueSpec;
use super::sender_properties::SenderProperties;
use crate::dead_letter::headers::NamedHeader;
use crate::telemetry::trace::TraceContext;
#[cfg(feature = "testing")]
use crate::{
    contract::envelope::{self, Envelope},
    wire,
};
#[cfg(feature = "testing")]
use twyla_codec::validate::Violation;

/// An outgoing message. Cloning it doesn't copy the body.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "the transport in memory doesn't read all properties"))]
pub(crate) struct Outgoing {
    pub(crate) to: PublishTarget,
    pub(crate) body: Bytes,
    pub(crate) message_id: Arc<str>,
    pub(crate) timestamp: DateTime<Utc>,
    pub(crate) app_id: Arc<str>,
    pub(crate) headers: Vec<NamedHeader>,
    /// The trace context of the emit.
    pub(crate) trace: Option<TraceContext>,
    /// The properties of a message that is forwarded, or of a new one that isn't an envelope; `None` for a new envelope.
    pub(crate) original: Option<Box<SenderProperties>>,
}

impl Outgoing {
    /// Returns the parts of the event.
    ///
    /// # Errors
    /// A [`Violation`] if the message isn't an event of this name in any form.
    #[cfg(feature = "testing")]
    pub(crate) fn envelope(&self, event: &str) -> Result<Envelope, Violation> {
        match wire::read(&self.body, &self.headers, self.original.as_deref(), event) {
            Some(read) => read.map(|event| event.envelope),
            None => envelope::decode(&self.body, event),
        }
    }
}

/// The destination of a message.
#[derive(Clone, Debug)]
pub(crate) enum PublishTarget {
    /// All groups that listen to the event; possibly none.
    Event { domain: Cow<'static, str>, event_type: Cow<'static, str> },
    /// The dead queue of a group's queue. It must exist.
    Dead(Arc<QueueSpec>),
    /// The retry queue that returns the message to its group's queue after this pause. It must exist.
    Retry(Arc<QueueSpec>, Duration),
    /// The queue of one group.
    Back(Arc<str>),
}

/// Returns a new message id. Ids are ordered by time (RFC 9562, section 5.7), so that databases store recent ids close together.
pub(crate) fn new_message_id() -> Arc<str> {
    (*Uuid::now_v7().hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()
}
