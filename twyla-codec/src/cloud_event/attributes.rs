//! The attributes of a received event, held to the core specification.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::envelope::{shown, violation};
use crate::violation::Violation;

/// The version of the specification, in the attribute `specversion`.
pub const SPEC_VERSION: &str = "1.0";
/// The media type of an event in the JSON format (section 3 of the JSON format).
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The beginning of the media types of all event formats.
pub const MEDIA_TYPES: &str = "application/cloudevents";
/// The media type of a batch in the JSON format (section 4.2 of the JSON format).
const BATCH: &str = "application/cloudevents-batch+json";

/// The extension with an event's context, as JSON text.
pub const CONTEXT: &str = "twylacontext";
/// The extension with an event's session.
pub const SESSION: &str = "twylasession";
/// The extension with the trace's parent (Distributed Tracing extension).
pub(super) const TRACE_PARENT: &str = "traceparent";
/// The extension with vendor-specific trace data (Distributed Tracing extension).
pub(super) const TRACE_STATE: &str = "tracestate";

/// The context of an event without the extension [`CONTEXT`].
pub const NO_CONTEXT: &str = "{}";

/// A received event without its data.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CloudEvent<'a> {
    /// Identifies the event among those of its source.
    pub id: Cow<'a, str>,
    /// The source of the event.
    pub source: Cow<'a, str>,
    /// When the event occurred, if the sender wrote it.
    pub time: Option<DateTime<Utc>>,
    /// The context as JSON text, if the sender wrote it.
    pub context: Option<Cow<'a, str>>,
    /// The session, if the sender wrote it.
    pub session: Option<Cow<'a, str>>,
    /// The `traceparent`, if the sender wrote it.
    pub trace_parent: Option<Cow<'a, str>>,
    /// The `tracestate`, if the sender wrote it.
    pub trace_state: Option<Cow<'a, str>>,
}

/// The value of a received attribute.
#[derive(Debug, PartialEq, Eq)]
pub enum AttributeValue<'a> {
    /// A string, or a value of another type in its string form.
    Text(Cow<'a, str>),
    /// A timestamp of the protocol's own type.
    Time(DateTime<Utc>),
    /// A number, a boolean or binary data.
    Other,
    /// Not a value that an attribute can have.
    None,
}

/// Collects the attributes of a received event.
#[derive(Debug, Default)]
pub struct Attributes<'a> {
    spec_version: Option<Cow<'a, str>>,
    event_type: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    content_type: Option<Cow<'a, str>>,
    time: Option<DateTime<Utc>>,
    context: Option<Cow<'a, str>>,
    session: Option<Cow<'a, str>>,
    trace_parent: Option<Cow<'a, str>>,
    trace_state: Option<Cow<'a, str>>,
}

impl<'a> Attributes<'a> {
    /// Adds an attribute. Ignores the value of one that Twyla doesn't read.
    ///
    /// # Errors
    /// A [`Violation`] if the name can't be that of an attribute ("Attribute Naming Convention"), if the value has the wrong
    /// type ("Type System"), or if the attribute has another value already.
    pub fn add(&mut self, name: &str, value: AttributeValue<'a>) -> Result<(), Violation> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            let why = format!("expected attribute names of lower-case letters and digits, found {:?}", shown(name));
            return Err(violation("", "propertyNames", why));
        }
        let wrong_type = |expected: &str| Err(violation(&format!("/{name}"), "type", format!("expected {expected}")));
        let again = || Err(violation(&format!("/{name}"), "const", "the attribute has two values".to_owned()));
        let slot = match name {
            "specversion" => &mut self.spec_version,
            "type" => &mut self.event_type,
            "id" => &mut self.id,
            "source" => &mut self.source,
            "datacontenttype" => &mut self.content_type,
            CONTEXT => &mut self.context,
            SESSION => &mut self.session,
            TRACE_PARENT => &mut self.trace_parent,
            TRACE_STATE => &mut self.trace_state,
            "time" => {
                let time = match value {
                    AttributeValue::Time(time) => time,
                    AttributeValue::Text(text) => match DateTime::parse_from_rfc3339(&text) {
                        Ok(time) => time.to_utc(),
                        Err(_) => {
                            let why = format!("{:?} is not an RFC 3339 date and time", shown(&text));
                            return Err(violation("/time", "format", why));
                        }
                    },
                    AttributeValue::Other | AttributeValue::None => return wrong_type("a date and time"),
                };
                return if self.time.replace(time).is_some_and(|other| other != time) { again() } else { Ok(()) };
            }
            _ if value == AttributeValue::None => return wrong_type("a string, a number or a boolean"),
            _ => return Ok(()),
        };
        let AttributeValue::Text(text) = value else { return wrong_type("a string") };
        if slot.as_ref().is_some_and(|other| *other != text) {
            return again();
        }
        *slot = Some(text);
        Ok(())
    }

    /// Checks the attributes of a message from the queue of `event` ("Required Attributes").
    ///
    /// # Errors
    /// A [`Violation`] if a required attribute is missing or empty, if the version is unknown, if the type isn't `event`, or if
    /// the data isn't JSON.
    pub fn check(self, event: &str) -> Result<CloudEvent<'a>, Violation> {
        let required = |name: &str, value: Option<Cow<'a, str>>| match value {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) => Err(violation(&format!("/{name}"), "minLength", "the attribute is empty".to_owned())),
            None => Err(violation(&format!("/{name}"), "required", "the attribute is missing".to_owned())),
        };
        let is = |name: &str, value: &str, expected: &str| match value == expected {
            true => Ok(()),
            false => {
                let why = format!("expected {expected:?}, found {:?}", shown(value));
                Err(violation(&format!("/{name}"), "const", why))
            }
        };
        is("specversion", &required("specversion", self.spec_version)?, SPEC_VERSION)?;
        is("type", &required("type", self.event_type)?, event)?;
        let (id, source) = (required("id", self.id)?, required("source", self.source)?);
        if let Some(content_type) = self.content_type.filter(|content_type| !is_json(content_type)) {
            let why = format!("expected JSON data, found {:?}", shown(&content_type));
            return Err(violation("/datacontenttype", "contentMediaType", why));
        }
        Ok(CloudEvent {
            id,
            source,
            time: self.time,
            context: self.context,
            session: self.session,
            trace_parent: self.trace_parent,
            trace_state: self.trace_state,
        })
    }
}

/// Checks the media type of a message in structured mode, which begins with [`MEDIA_TYPES`].
///
/// # Errors
/// A [`Violation`] if the message is a batch, or an event in another format than JSON.
pub fn check_format(content_type: &str) -> Result<(), Violation> {
    let media_type = media_type(content_type);
    if media_type.eq_ignore_ascii_case(MEDIA_TYPE) {
        return Ok(());
    }
    let found = shown(media_type);
    let why = match media_type.eq_ignore_ascii_case(BATCH) {
        true => format!("expected one event in a message, found a batch ({found})"),
        false => format!("expected an event in JSON ({MEDIA_TYPE}), found {found:?}"),
    };
    Err(violation("", "contentMediaType", why))
}

/// Returns whether data of this type is JSON: `*/json` or `*/*+json` (section 3.1.1 of the JSON format).
fn is_json(content_type: &str) -> bool {
    let Some((_, subtype)) = media_type(content_type).split_once('/') else { return false };
    let ends = |suffix: &str| {
        subtype.len() > suffix.len() && subtype[subtype.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    subtype.eq_ignore_ascii_case("json") || subtype.is_ascii() && ends("+json")
}

/// Returns a content type without its parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split_once(';').map_or(content_type, |(media_type, _)| media_type).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an event of `shop.paid` from its attributes.
    fn read<'a>(attributes: &[(&str, &'a str)]) -> Result<CloudEvent<'a>, Violation> {
        let mut all = Attributes::default();
        for (name, value) in attributes {
            all.add(name, AttributeValue::Text(Cow::Borrowed(value)))?;
        }
        all.check("shop.paid")
    }

    const REQUIRED: [(&str, &str); 4] =
        [("specversion", "1.0"), ("type", "shop.paid"), ("source", "/shop"), ("id", "17")];

    /// Returns the required attributes with other values; a `None` removes the attribute.
    fn with<'a>(changes: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, &'a str)> {
        let mut all: Vec<_> = REQUIRED.into_iter().filter(|(name, _)| changes.iter().all(|it| it.0 != *name)).collect();
        all.extend(changes.iter().filter_map(|(name, value)| value.map(|value| (*name, value))));
        all
    }

    fn refusal(changes: &[(&str, Option<&str>)]) -> (String, &'static str, String) {
        let refused = read(&with(changes)).unwrap_err();
        (refused.pointer, refused.keyword, refused.message)
    }

    /// Core specification, "Required Attributes": `id`, `source`, `specversion` and `type` are required and not empty.
    #[test]
    fn refuses_an_event_without_a_required_attribute() {
        for (name, _) in REQUIRED {
            let (pointer, keyword, message) = refusal(&[(name, None)]);
            assert_eq!((pointer, keyword), (format!("/{name}"), "required"));
            assert_eq!(message, "the attribute is missing");
            assert_eq!(refusal(&[(name, Some(""))]).1, "minLength", "{name}");
        }
    }

    /// Core specification, "specversion": `1.0` for this version.
    #[test]
    fn refuses_another_version() {
        let refused = ("/specversion".to_owned(), "const", "expected \"1.0\", found \"0.3\"".to_owned());
        assert_eq!(refusal(&[("specversion", Some("0.3"))]), refused);
    }

    #[test]
    fn refuses_an_event_of_another_type() {
        let refused = ("/type".to_owned(), "const", "expected \"shop.paid\", found \"shop.sent\"".to_owned());
        assert_eq!(refusal(&[("type", Some("shop.sent"))]), refused);
    }

    /// Core specification, "Attribute Naming Convention": lower-case letters and digits of ASCII.
    #[test]
    fn refuses_other_names_than_lower_case_letters_and_digits() {
        for name in ["Type", "comExample", "com_example", "com-example", "größe", ""] {
            let (pointer, keyword, message) = refusal(&[(name, Some("x"))]);
            assert_eq!((pointer.as_str(), keyword), ("", "propertyNames"), "{name:?}");
            assert!(message.contains(&format!("found {name:?}")), "{message}");
        }
        // longer than the 20 characters that an attribute's name should have
        assert!(read(&with(&[("comexampleextension1andmore", Some("x"))])).is_ok());
    }

    /// Core specification, "time": a timestamp of RFC 3339.
    #[test]
    fn reads_a_time_with_its_offset_and_refuses_one_without() {
        let time = read(&with(&[("time", Some("2018-04-05T19:31:00.5+02:00"))])).unwrap().time;
        assert_eq!(time.map(|time| time.to_rfc3339()).as_deref(), Some("2018-04-05T17:31:00.500+00:00"));
        for bad in ["2018-04-05T17:31:00", "soon", ""] {
            assert_eq!(refusal(&[("time", Some(bad))]).1, "format", "{bad:?}");
        }
    }

    /// Core specification, "Type System": a string where a string is expected; JSON format, section 3.1.1: JSON data.
    #[test]
    fn reads_only_json_data() {
        for json in
            ["application/json", "text/JSON", "application/json; charset=utf-8", "application/vnd.shop+json ;v=1"]
        {
            assert!(read(&with(&[("datacontenttype", Some(json))])).is_ok(), "{json}");
        }
        for other in ["text/plain", "application/xml", "json", "application/jsonp", "application/+json", "x/é+json"] {
            let (pointer, keyword, message) = refusal(&[("datacontenttype", Some(other))]);
            assert_eq!((pointer.as_str(), keyword), ("/datacontenttype", "contentMediaType"), "{other}: {message}");
        }
    }

    #[test]
    fn refuses_values_of_a_wrong_type_and_two_values_of_one_attribute() {
        for name in ["id", "time", CONTEXT, "comexample"] {
            let refused = Attributes::default().add(name, AttributeValue::None).unwrap_err();
            assert_eq!((refused.pointer, refused.keyword), (format!("/{name}"), "type"));
        }
        assert!(Attributes::default().add("comexample", AttributeValue::Other).is_ok());
        assert_eq!(Attributes::default().add("id", AttributeValue::Other).unwrap_err().message, "expected a string");
        for (name, one, other) in [("id", "1", "2"), ("time", "2018-04-05T17:31:00Z", "2018-04-05T17:31:01Z")] {
            let mut attributes = Attributes::default();
            let mut add = |value| attributes.add(name, AttributeValue::Text(Cow::Borrowed(value)));
            assert!(add(one).is_ok() && add(one).is_ok());
            assert_eq!(add(other).unwrap_err().message, "the attribute has two values");
        }
    }

    /// AMQP binding, section 3: the media type of a message in structured mode names the event format.
    #[test]
    fn knows_no_other_format_than_json() {
        for json in [MEDIA_TYPE, "Application/CloudEvents+JSON; charset=UTF-8"] {
            assert_eq!(check_format(json), Ok(()));
        }
        let batch = check_format(BATCH).unwrap_err();
        assert_eq!(
            batch.message,
            "expected one event in a message, found a batch (application/cloudevents-batch+json)"
        );
        let avro = check_format("application/cloudevents+avro").unwrap_err();
        assert_eq!(avro.keyword, "contentMediaType");
        assert!(avro.message.ends_with("found \"application/cloudevents+avro\""), "{avro}");
    }
}
