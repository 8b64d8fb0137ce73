//! The attributes of an event that is written as a CloudEvent.

use std::borrow::Cow;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use twyla_formats::{Format, holds};
use uuid::Uuid;

use super::attributes::{CONTEXT, NO_CONTEXT, SESSION, SPEC_VERSION, TRACE_PARENT, TRACE_STATE};
use crate::envelope::write_timestamp;

/// An event that is written as a CloudEvent, without its data.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// The event's name.
    pub event: &'a str,
    /// The name of the sending service, which becomes the source.
    pub app_id: &'a str,
    /// The message id.
    pub id: &'a str,
    /// When the event was emitted.
    pub time: DateTime<Utc>,
    /// The session.
    pub session: Uuid,
    /// The context, a JSON text.
    pub context: &'a str,
    /// The `traceparent`, if the event belongs to a trace.
    pub trace_parent: Option<&'a str>,
    /// The `tracestate`, if there is one.
    pub trace_state: Option<&'a str>,
}

impl<'a> NewEvent<'a> {
    /// Returns the attributes except `datacontenttype`, each as a string, in a fixed order. An empty context is left out.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, Cow<'a, str>)> {
        let mut attributes = vec![
            ("specversion", SPEC_VERSION.into()),
            ("type", self.event.into()),
            ("source", source(self.app_id)),
            ("id", self.id.into()),
            ("time", write_timestamp(self.time).into()),
            (SESSION, self.session.to_string().into()),
        ];
        if self.context != NO_CONTEXT {
            attributes.push((CONTEXT, allowed(self.context)));
        }
        attributes.extend(self.trace_parent.map(|parent| (TRACE_PARENT, parent.into())));
        attributes.extend(self.trace_state.map(|state| (TRACE_STATE, state.into())));
        attributes
    }
}

/// Returns the source for a service's name: the name if it is a URI-reference, and else the name percent-encoded. A source isn't
/// empty.
fn source(app_id: &str) -> Cow<'_, str> {
    if app_id.is_empty() {
        return "/".into();
    }
    if holds(Format::UriReference, app_id) {
        return app_id.into();
    }
    let mut source = String::with_capacity(app_id.len() + 8);
    for byte in app_id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => source.push(char::from(byte)),
            // writing to a string can't fail
            byte => drop(write!(source, "%{byte:02X}")),
        }
    }
    source.into()
}

/// Escapes the characters of a JSON text that the value of an attribute can't have (core specification, "Type System", String):
/// control characters and noncharacters. Outside of its strings, a JSON text that Twyla has written has neither.
fn allowed(json: &str) -> Cow<'_, str> {
    if !json.contains(is_disallowed) {
        return json.into();
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_disallowed(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // writing to a string can't fail
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

fn is_disallowed(character: char) -> bool {
    let code = u32::from(character);
    character.is_control() || (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cloud_event) fn event() -> NewEvent<'static> {
        NewEvent {
            event: "shop.paid",
            app_id: "shop",
            id: "17",
            time: DateTime::from_timestamp(1_751_000_000, 120_000).unwrap(),
            session: Uuid::from_u128(0x5f0c_7d9e_3b1a_4c55_9d3e_2a6f_1c0b_7e42),
            context: r#"{"channel":"web"}"#,
            trace_parent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            trace_state: None,
        }
    }

    #[test]
    fn writes_each_attribute_as_a_string() {
        let event = NewEvent { trace_state: Some("a=1"), ..event() };
        let attributes = event.attributes();
        let attributes: Vec<_> = attributes.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!(
            attributes,
            [
                ("specversion", "1.0"),
                ("type", "shop.paid"),
                ("source", "shop"),
                ("id", "17"),
                ("time", "2025-06-27T04:53:20.000120+00:00"),
                ("twylasession", "5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42"),
                ("twylacontext", r#"{"channel":"web"}"#),
                ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                ("tracestate", "a=1"),
            ]
        );
        let bare = NewEvent { context: "{}", trace_parent: None, ..event };
        assert!(bare.attributes().iter().all(|(name, _)| *name != CONTEXT && *name != TRACE_PARENT));
    }

    /// Core specification, "source": a URI-reference that isn't empty.
    #[test]
    fn a_source_is_a_uri_reference() {
        for (app_id, expected) in [
            ("shop", "shop"),
            ("/shop/till-1", "/shop/till-1"),
            ("https://shop.example/a%20b?c#d", "https://shop.example/a%20b?c#d"),
            ("my shop", "my%20shop"),
            ("100%", "100%25"),
            ("käse", "k%C3%A4se"),
            ("", "/"),
        ] {
            assert_eq!(source(app_id), expected);
            assert!(holds(Format::UriReference, expected), "{expected}");
        }
    }

    /// Core specification, "Type System", String: no control characters, no noncharacters.
    #[test]
    fn escapes_what_an_attribute_can_not_have() {
        let json = "{\"a\":\"\u{7f}\u{85}\u{fdd0}\u{ffff}\u{1fffe}ü😀\"}";
        let escaped = allowed(json);
        assert_eq!(escaped, r#"{"a":"\u007f\u0085\ufdd0\uffff\ud83f\udffeü😀"}"#);
        let values: [serde_json::Value; 2] = [json, &escaped].map(|json| serde_json::from_str(json).unwrap());
        assert_eq!(values[0], values[1]);
    }
}
