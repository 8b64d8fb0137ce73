//! Recognizes the form of a message by its content type and its headers.

use std::collections::HashMap;
use std::str;

use serde::de::IgnoredAny;
use twyla_codec::cloud_event::MEDIA_TYPES;

use super::headers::has_attributes;
use crate::dead_letter::headers::Header;
use crate::transport::sender_properties::{Property, SenderProperties};

/// The form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Envelope,
    /// A CloudEvent in binary mode.
    Binary,
    /// A CloudEvent in structured mode: in JSON, or in a format that can't be read.
    Structured,
}

impl Form {
    /// Returns the form of a message. By section 3 of the AMQP binding, the content type says whether the mode is structured; a
    /// message of another type is a CloudEvent if it has a required attribute.
    pub(crate) fn of<N: AsRef<str>>(headers: &[(N, Header)], properties: Option<&SenderProperties>) -> Self {
        let is_structured = content_type(properties).is_some_and(|content_type| {
            let start = content_type.as_bytes().get(..MEDIA_TYPES.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(MEDIA_TYPES.as_bytes()))
        });
        if is_structured {
            Self::Structured
        } else if has_attributes(headers) {
            Self::Binary
        } else {
            Self::Envelope
        }
    }

    /// Returns the name of the form with its article.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Envelope => "an envelope",
            Self::Binary | Self::Structured => "a CloudEvent",
        }
    }

    /// Returns the JSON Pointer of a part of the event, `content` or `context`, in the message. Those into a CloudEvent are those
    /// of its JSON format, whatever its mode.
    pub(crate) fn pointer(self, part: &str) -> &'static str {
        match (self, part) {
            (Self::Envelope, "content") => "/content",
            (Self::Envelope, _) => "/context",
            (_, "content") => "/data",
            (..) => "/twylacontext",
        }
    }

    /// Converts the JSON Pointers of an event's sensitive values (`/content/..`, `/context/..`) to those into a body of this form.
    pub(crate) fn in_body(self, sensitive: Vec<String>) -> Vec<String> {
        match self {
            Self::Envelope => sensitive,
            // the headers have the context
            Self::Binary => {
                sensitive.iter().filter_map(|pointer| pointer.strip_prefix("/content")).map(str::to_owned).collect()
            }
            Self::Structured => {
                let convert = |pointer: &String| match pointer.strip_prefix("/content") {
                    // refused data may be binary
                    Some(rest) => vec![format!("/data{rest}"), "/data_base64".to_owned()],
                    // the extension is a text, which is hidden as a whole
                    None => vec!["/twylacontext".to_owned()],
                };
                let mut pointers: Vec<_> = sensitive.iter().flat_map(convert).collect();
                pointers.sort_unstable();
                pointers.dedup();
                pointers
            }
        }
    }

    /// Returns the JSON Pointers of the content and the context in a body that is expected to be of this form: that of the whole
    /// body if it lacks the members of the form.
    pub(crate) fn content_and_context(self, body: &[u8]) -> Vec<String> {
        let members: HashMap<String, IgnoredAny> = serde_json::from_slice(body).unwrap_or_default();
        let has = |name: &str| members.contains_key(name);
        match self {
            Self::Envelope if !has("content") || !has("context") => vec![String::new()],
            Self::Structured if !has("data") && !has("data_base64") => vec![String::new()],
            _ => self.in_body(vec!["/content".to_owned(), "/context".to_owned()]),
        }
    }
}

/// Returns the content type of a message; `None` if it is absent or empty.
pub(super) fn content_type(properties: Option<&SenderProperties>) -> Option<&str> {
    let text = properties.and_then(|properties| properties.text(Property::ContentType))?;
    str::from_utf8(text).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(content_type: &str, headers: &[&str]) -> Form {
        let properties = SenderProperties::default().with_text(Property::ContentType, content_type.as_bytes());
        let headers: Vec<_> = headers.iter().map(|name| (*name, Header::Text("1.0".to_owned()))).collect();
        Form::of(&headers, Some(&properties))
    }

    #[test]
    fn a_message_is_structured_by_its_content_type_and_binary_by_its_headers() {
        for (content_type, headers, expected) in [
            ("application/json", &["traceparent"][..], Form::Envelope),
            ("", &["ce-comexample"], Form::Envelope),
            ("application/json", &["cloudEvents:specversion"], Form::Binary),
            ("", &["x", "cloudEvents_type"], Form::Binary),
            ("text/plain", &["ce-id"], Form::Binary),
            ("application/cloudevents+json; charset=UTF-8", &["ce-id"], Form::Structured),
            ("Application/CloudEvents-Batch+json", &[], Form::Structured),
            ("application/cloudevents+avro", &[], Form::Structured),
        ] {
            assert_eq!(form(content_type, headers), expected, "{content_type} {headers:?}");
        }
        assert_eq!(Form::of::<&str>(&[], None), Form::Envelope);
    }

    #[test]
    fn sensitive_values_are_where_the_form_has_them() {
        let sensitive = || ["/content/card/number", "/content/tokens/*", "/context/key"].map(str::to_owned).to_vec();
        assert_eq!(Form::Envelope.in_body(sensitive()), sensitive());
        assert_eq!(Form::Binary.in_body(sensitive()), ["/card/number", "/tokens/*"]);
        let structured = ["/data/card/number", "/data/tokens/*", "/data_base64", "/twylacontext"];
        assert_eq!(Form::Structured.in_body(sensitive()), structured);
    }

    #[test]
    fn a_body_without_the_members_of_its_form_is_sensitive_as_a_whole() {
        let (envelope, event) = (br#"{"content":1,"context":{}}"#, br#"{"data":1,"id":"1"}"#);
        assert_eq!(Form::Envelope.content_and_context(envelope), ["/content", "/context"]);
        assert_eq!(Form::Structured.content_and_context(event), ["/data", "/data_base64", "/twylacontext"]);
        assert_eq!(Form::Binary.content_and_context(b"1"), [""]);
        for (form, body) in [
            (Form::Envelope, &event[..]),
            (Form::Envelope, br#"{"content":1}"#),
            (Form::Envelope, b"[1]"),
            (Form::Structured, envelope),
        ] {
            assert_eq!(form.content_and_context(body), [""], "{form:?}");
        }
    }
}
