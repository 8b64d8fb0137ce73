//! Writes an event in the chosen form.

use chrono::{DateTime, Utc};
use twyla_codec::cloud_event::{MEDIA_TYPE, NewEvent, encode_json};
use twyla_codec::envelope;
use uuid::Uuid;

use super::Wire;
use super::headers::PREFIX;
use crate::dead_letter::headers::Header;
use crate::transport::Outgoing;
use crate::transport::sender_properties::{COUNT, Property, SenderProperties};

/// The largest context that a header has, in bytes. The smallest frame of RabbitMQ, 8,192 bytes, then has room for it beside the
/// headers of a dead letter, which would replace it otherwise.
const MAX_CONTEXT: usize = 2048;

impl Wire {
    /// Writes a message of `event`, whose body is an envelope, in this form. The trace of the message becomes a part of the event.
    /// A body that isn't an envelope of the event stays as it is.
    pub(crate) fn written(self, mut message: Outgoing, event: &str) -> Outgoing {
        if self == Self::Envelope {
            return message;
        }
        let body = message.body.clone();
        let Some(envelope) = envelope::decode(&body, event).ok() else { return message };
        let (Ok(context), Some(session)) = (
            std::str::from_utf8(envelope.context),
            envelope.session.as_deref().and_then(|session| Uuid::parse_str(session).ok()),
        ) else {
            return message;
        };
        let trace_parent = message.trace.as_ref().map(ToString::to_string);
        let new = NewEvent {
            event,
            app_id: &message.app_id,
            id: &message.message_id,
            time: envelope.timestamp.unwrap_or(message.timestamp),
            session,
            context,
            trace_parent: trace_parent.as_deref(),
            trace_state: message.trace.as_ref().and_then(|trace| trace.state()),
        };
        let content_type = if self == Self::CloudEventsBinary && context.len() <= MAX_CONTEXT {
            let attributes = new.attributes().into_iter();
            let headers =
                attributes.map(|(name, value)| (format!("{PREFIX}{name}").into(), Header::Text(value.into())));
            message.headers.extend(headers);
            message.body = body.slice_ref(envelope.content);
            "application/json"
        } else {
            message.body = encode_json(&new, envelope.content).into();
            MEDIA_TYPE
        };
        message.original = Some(Box::new(properties(content_type, message.timestamp, &message.app_id)));
        message
    }
}

/// Returns the properties of a new message with this content type, except the message id, which each message has.
fn properties(content_type: &str, timestamp: DateTime<Utc>, app_id: &str) -> SenderProperties {
    let seconds = u64::try_from(timestamp.timestamp()).unwrap_or_default();
    SenderProperties::of([&[]; COUNT])
        .with_text(Property::ContentType, content_type.as_bytes())
        // persistent
        .with(Property::DeliveryMode, &[2])
        .with(Property::Timestamp, &seconds.to_be_bytes())
        .with_text(Property::AppId, app_id.as_bytes())
}
