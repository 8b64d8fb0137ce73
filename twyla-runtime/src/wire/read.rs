//! Reads a CloudEvent of either mode as the parts of an event.

use bytes::Bytes;
use twyla_codec::cloud_event::{self, NO_CONTEXT, check_format, decode_json};
use twyla_codec::validate::Violation;
use uuid::Uuid;

use super::form::content_type;
use super::{Form, headers};
use crate::contract::envelope::{Envelope, VERSION};
use crate::contract::session::Session;
use crate::dead_letter::headers::Header;
use crate::telemetry::trace::TraceContext;
use crate::transport::sender_properties::SenderProperties;

/// The maximum length of a message id, in bytes.
const MAX_ID: usize = 255;

/// A received CloudEvent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloudEvent {
    pub(crate) envelope: Envelope,
    /// The id for messages that have none: source and id, which identify the event together (core specification, "id").
    pub(crate) identity: String,
    pub(crate) trace: Option<TraceContext>,
}

/// Reads a message from the queue of `event`, if it is a CloudEvent. `None` if it isn't one.
///
/// # Errors
/// A [`Violation`], whose pointer is into the JSON format of the event.
pub(crate) fn read<N: AsRef<str>>(
    body: &Bytes,
    headers: &[(N, Header)],
    properties: Option<&SenderProperties>,
    event: &str,
) -> Option<Result<CloudEvent, Violation>> {
    let content_type = content_type(properties);
    match Form::of(headers, properties) {
        Form::Envelope => None,
        Form::Structured => Some(
            check_format(content_type.unwrap_or_default())
                .and_then(|()| decode_json(body, event))
                .map(|(event, content)| received(event, body.slice_ref(content))),
        ),
        Form::Binary => Some(
            headers::attributes(headers, content_type)
                .and_then(|attributes| attributes.check(event))
                .map(|event| received(event, body.clone())),
        ),
    }
}

fn received(event: cloud_event::CloudEvent<'_>, content: Bytes) -> CloudEvent {
    let context =
        event.context.map_or(Bytes::from_static(NO_CONTEXT.as_bytes()), |context| context.into_owned().into());
    let trace = event.trace_parent.and_then(|parent| TraceContext::read(parent.as_bytes()));
    CloudEvent {
        envelope: Envelope {
            content,
            context,
            version: VERSION,
            timestamp: event.time,
            session: event.session.and_then(|text| Session::read(&text)),
        },
        identity: identity(&event.source, &event.id),
        trace: trace.map(|trace| match &event.trace_state {
            Some(state) => trace.with_state(state),
            None => trace,
        }),
    }
}

/// Joins source and id; a text that is too long for a message id becomes a UUIDv5.
fn identity(source: &str, id: &str) -> String {
    let joined = format!("{source} {id}");
    if joined.len() <= MAX_ID { joined } else { Uuid::new_v5(&Uuid::NAMESPACE_URL, joined.as_bytes()).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::sender_properties::Property;

    fn properties(content_type: &str) -> SenderProperties {
        SenderProperties::default().with_text(Property::ContentType, content_type.as_bytes())
    }

    const STRUCTURED: &str = r#"{"specversion":"1.0","type":"shop.paid","source":"/till","id":"1","time":"2018-04-05T17:31:00Z",
        "twylacontext":"{\"channel\":\"web\"}","twylasession":"basket 17","tracestate":"a=1",
        "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"sum":5}}"#;

    fn structured(content_type: &str, body: &'static str) -> Result<CloudEvent, Violation> {
        let body = Bytes::from_static(body.as_bytes());
        read::<&str>(&body, &[], Some(&properties(content_type)), "shop.paid").unwrap()
    }

    fn binary(headers: &[(&str, &str)], body: &'static str) -> Option<Result<CloudEvent, Violation>> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, Header::Text((*value).to_owned()))).collect();
        read(&Bytes::from_static(body.as_bytes()), &headers, None, "shop.paid")
    }

    #[test]
    fn both_modes_have_the_same_parts() {
        let from_json = structured("application/cloudevents+json", STRUCTURED).unwrap();
        let envelope = &from_json.envelope;
        assert_eq!(
            (&envelope.content[..], &envelope.context[..]),
            (&br#"{"sum":5}"#[..], &br#"{"channel":"web"}"#[..])
        );
        assert_eq!(envelope.session, Session::read("basket 17"));
        assert_eq!(from_json.identity, "/till 1");
        assert_eq!(from_json.trace.as_ref().and_then(TraceContext::state), Some("a=1"));
        let from_headers = binary(
            &[
                ("cloudEvents:specversion", "1.0"),
                ("cloudEvents:type", "shop.paid"),
                ("cloudEvents:source", "/till"),
                ("cloudEvents:id", "1"),
                ("cloudEvents:time", "2018-04-05T17:31:00Z"),
                ("cloudEvents:twylacontext", r#"{"channel":"web"}"#),
                ("cloudEvents:twylasession", "basket 17"),
                ("cloudEvents:traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                ("cloudEvents:tracestate", "a=1"),
            ],
            r#"{"sum":5}"#,
        );
        assert_eq!(from_headers.unwrap().unwrap(), from_json);
    }

    #[test]
    fn an_event_of_a_sender_without_contexts_has_an_empty_one() {
        let required = [("ce-specversion", "1.0"), ("ce-type", "shop.paid"), ("ce-source", "/"), ("ce-id", "1")];
        let event = binary(&required, "1").unwrap().unwrap();
        assert_eq!((&event.envelope.context[..], event.envelope.session, event.trace), (&b"{}"[..], None, None));
        // a required attribute makes it a CloudEvent, and all are needed
        let missing = binary(&required[1..], "1").unwrap().unwrap_err();
        assert_eq!((missing.pointer.as_str(), missing.keyword), ("/specversion", "required"));
        assert_eq!(binary(&[("ce-subject", "x")], "1"), None);
    }

    #[test]
    fn content_stays_in_the_message() {
        let body = Bytes::from_static(STRUCTURED.as_bytes());
        let event = read::<&str>(&body, &[], Some(&properties("application/cloudevents+json")), "shop.paid");
        assert!(body.as_ptr_range().contains(&event.unwrap().unwrap().envelope.content.as_ptr()));
    }

    #[test]
    fn refuses_formats_that_it_can_not_read() {
        for format in ["application/cloudevents-batch+json", "application/cloudevents+avro", "application/cloudevents"]
        {
            assert_eq!(structured(format, STRUCTURED).unwrap_err().keyword, "contentMediaType", "{format}");
        }
        assert_eq!(structured("application/cloudevents+json", "{}").unwrap_err().pointer, "/specversion");
    }

    #[test]
    fn a_long_identity_is_a_uuid_of_its_own() {
        let (one, other) = (identity("/", &"1".repeat(254)), identity("/", &"1".repeat(255)));
        assert!(Uuid::parse_str(&one).is_ok() && one != other, "{one} {other}");
        assert_eq!(identity("/", "1"), "/ 1");
    }
}
