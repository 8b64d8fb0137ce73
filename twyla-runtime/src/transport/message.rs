//! Messages on their way out, and where they go.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::queue::QueueSpec;
use super::sender_properties::Original;
use crate::dead_letter::letter::Named;
use crate::telemetry::trace::TraceContext;

/// A message on its way out. Cloning it copies no body.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "some properties are for others to read"))]
pub(crate) struct Outgoing {
    pub(crate) to: Address,
    pub(crate) body: Bytes,
    pub(crate) message_id: Arc<str>,
    pub(crate) timestamp: DateTime<Utc>,
    pub(crate) app_id: Arc<str>,
    pub(crate) headers: Vec<Named>,
    /// Where in its trace this is.
    pub(crate) trace: Option<TraceContext>,
    /// The properties that the message came with, which it keeps; none for a message that is sent first.
    pub(crate) original: Option<Box<Original>>,
}

/// Where a message goes.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// To everyone who listens to an event. Nobody may be there.
    Event { domain: Cow<'static, str>, event_type: Cow<'static, str> },
    /// Into the dead queue beside a queue. It must be there.
    Dead(Arc<QueueSpec>),
    /// Into a queue that gives it back to its group's queue after this long. It must be there.
    Retry(Arc<QueueSpec>, Duration),
    /// Into the queue of a group, past every other.
    Back(Arc<str>),
}

/// Returns a new message id, ordered by time (RFC 9562, section 5.7), so that stores keep them close together.
pub(crate) fn new_message_id() -> Arc<str> {
    (*Uuid::now_v7().hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()
}
