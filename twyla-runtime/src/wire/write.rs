//! Writes an event in the chosen form.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use twyla_codec::cloud_event::{CONTEXT, MEDIA_TYPE, NewEvent, encode_json};
use twyla_codec::envelope;
use uuid::Uuid;

use super::Wire;
use super::headers::PREFIX;
use crate::dead_letter::headers::Header;
use crate::transport::Outgoing;
use crate::transport::sender_properties::{COUNT, Property, SenderProperties};

/// The largest context that a header has, escaped, in bytes. The smallest frame of RabbitMQ, 8,192 bytes, then has room for it beside
/// the headers of a dead letter.
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
        let attributes = (self == Self::CloudEventsBinary).then(|| new.attributes());
        let fits = |(name, value): &(&str, Cow<'_, str>)| *name != CONTEXT || value.len() <= MAX_CONTEXT;
        let content_type = if let Some(attributes) = attributes.filter(|attributes| attributes.iter().all(fits)) {
            let headers = attributes
                .into_iter()
                .map(|(name, value)| (format!("{PREFIX}{name}").into(), Header::Text(value.into())));
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transport::PublishTarget;

    fn message(body: impl Into<Bytes>) -> Outgoing {
        Outgoing {
            to: PublishTarget::Event { domain: "shop".into(), event_type: "paid".into() },
            body: body.into(),
            message_id: "17".into(),
            timestamp: DateTime::UNIX_EPOCH,
            app_id: "till".into(),
            headers: Vec::new(),
            trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().ok(),
            original: None,
        }
    }

    const ENVELOPE: &str = r#"{"event_name":"shop.paid","content":{"sum":5},"context":{"channel":"web"},"meta":{"version":1,
        "timestamp":"2025-06-27T04:53:20+00:00","session_id":"5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42"}}"#;

    #[test]
    fn binary_mode_has_the_attributes_as_headers_and_the_content_as_body() {
        let written = Wire::CloudEventsBinary.written(message(ENVELOPE), "shop.paid");
        let headers: Vec<_> = written
            .headers
            .iter()
            .map(|(name, value)| match value {
                Header::Text(text) => format!("{name}: {text}"),
                other => panic!("{name} is not a text: {other:?}"),
            })
            .collect();
        assert_eq!(
            headers,
            [
                "cloudEvents:specversion: 1.0",
                "cloudEvents:type: shop.paid",
                "cloudEvents:source: till",
                "cloudEvents:id: 17",
                "cloudEvents:time: 2025-06-27T04:53:20.000000+00:00",
                "cloudEvents:twylasession: 5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42",
                r#"cloudEvents:twylacontext: {"channel":"web"}"#,
                "cloudEvents:traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ]
        );
        assert_eq!(&written.body[..], br#"{"sum":5}"#);
        let properties = written.original.unwrap();
        assert_eq!(properties.text(Property::ContentType), Some(&b"application/json"[..]));
        assert_eq!(properties.get(Property::DeliveryMode), [2]);
        assert_eq!(
            (properties.text(Property::AppId), properties.text(Property::MessageId)),
            (Some(&b"till"[..]), None)
        );
    }

    #[test]
    fn a_context_that_is_too_large_for_a_header_is_written_in_the_body() {
        // U+007F is escaped, as six bytes
        for (character, count, in_headers) in
            [('a', 2000, true), ('a', 2100, false), ('\u{7f}', 300, true), ('\u{7f}', 400, false)]
        {
            let envelope = ENVELOPE.replace("web", &character.to_string().repeat(count));
            let written = Wire::CloudEventsBinary.written(message(envelope), "shop.paid");
            assert_eq!(!written.headers.is_empty(), in_headers, "{count} x {character:?}");
        }
    }

    #[test]
    fn structured_mode_has_no_headers() {
        let written = Wire::CloudEventsStructured.written(message(ENVELOPE), "shop.paid");
        assert!(written.headers.is_empty() && written.body.starts_with(br#"{"specversion":"1.0","#));
        assert_eq!(written.original.unwrap().text(Property::ContentType), Some(MEDIA_TYPE.as_bytes()));
    }

    #[test]
    fn an_envelope_and_a_body_that_is_none_stay_as_they_are() {
        for (wire, body) in [(Wire::Envelope, ENVELOPE), (Wire::CloudEventsBinary, "no envelope")] {
            let written = wire.written(message(body), "shop.paid");
            assert!(written.body == body && written.headers.is_empty() && written.original.is_none(), "{wire:?}");
        }
    }
}
