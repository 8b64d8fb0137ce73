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
    /// The sender's properties of a message that is forwarded; `None` for a new message.
    pub(crate) original: Option<Box<SenderProperties>>,
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
