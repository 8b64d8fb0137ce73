//! The JSON format of CloudEvents. The data of a received event stays where it is: it is not parsed here.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::attributes::{AttributeValue, Attributes, CloudEvent};
use super::write::NewEvent;
use crate::envelope::{no_json, not_an_object, text, violation};
use crate::violation::Violation;

/// Writes an event in the JSON format; `content` is its data, a JSON text.
#[must_use]
pub fn encode_json(event: &NewEvent<'_>, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + event.context.len() + 512);
    for (name, value) in event.attributes() {
        out.push(if out.is_empty() { b'{' } else { b',' });
        text(name, &mut out);
        out.push(b':');
        text(&value, &mut out);
    }
    out.extend_from_slice(b",\"datacontenttype\":\"application/json\",\"data\":");
    out.extend_from_slice(content);
    out.push(b'}');
    out
}

/// Reads a message in the JSON format from the queue of `event`. Returns the event, and its data as JSON text within the message.
///
/// # Errors
/// A [`Violation`] whose pointer is into the whole message.
pub fn decode_json<'a>(body: &'a [u8], event: &str) -> Result<(CloudEvent<'a>, &'a [u8]), Violation> {
    let text = std::str::from_utf8(body)
        .map_err(|e| no_json(body, || format!("is not valid UTF-8 from byte {} on", e.valid_up_to())))?;
    let Members { attributes, data, fault } = serde_json::from_str(text)
        .map_err(|e| no_json(body, || not_an_object(&e, "expected a CloudEvent: an object")))?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    let event = attributes.check(event)?;
    let data = data.ok_or_else(|| violation("/data", "required", "the member is missing".to_owned()))?;
    Ok((event, data.get().as_bytes()))
}

/// The members of an event.
#[derive(Default)]
struct Members<'a> {
    attributes: Attributes<'a>,
    data: Option<&'a RawValue>,
    /// The first violation. The text is read to its end, because text that isn't JSON is the more basic mistake.
    fault: Option<Violation>,
}

/// A string, borrowed from the text if it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    fn add(&mut self, name: &str, value: &'a RawValue) -> Result<(), Violation> {
        match name {
            "data" => match self.data.replace(value) {
                Some(_) => Err(violation("/data", "json", "the member is there twice".to_owned())),
                None => Ok(()),
            },
            // an absent member can be written as null, except `data` (section 2.2)
            _ if value.get() == "null" => Ok(()),
            "data_base64" => {
                let why = "expected JSON data in the member `data`, found binary data".to_owned();
                Err(violation("/data_base64", "contentEncoding", why))
            }
            name => self.attributes.add(name, attribute(value)),
        }
    }
}

fn attribute(value: &RawValue) -> AttributeValue<'_> {
    match value.get().as_bytes() {
        // a string with a lone surrogate is JSON, but not text
        [b'"', ..] => serde_json::from_str::<Text<'_>>(value.get())
            .map_or(AttributeValue::None, |text| AttributeValue::Text(text.0)),
        [b'{' | b'[', ..] => AttributeValue::None,
        _ => AttributeValue::Other,
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachMember;

        impl<'de> Visitor<'de> for EachMember {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(Text(name)) = map.next_key()? {
                    let added = members.add(&name, map.next_value()?);
                    members.fault = members.fault.or(added.err());
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(EachMember)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::cloud_event::write::tests::event;

    fn read(json: &str) -> Result<(CloudEvent<'_>, &[u8]), Violation> {
        decode_json(json.as_bytes(), "shop.paid")
    }

    #[test]
    fn writes_the_format_byte_for_byte_and_reads_it() {
        let json = String::from_utf8(encode_json(&event(), br#"{"sum":5}"#)).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"specversion":"1.0","type":"shop.paid","source":"shop","id":"17","#,
                r#""time":"2025-06-27T04:53:20.000120+00:00","twylasession":"5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42","#,
                r#""twylacontext":"{\"channel\":\"web\"}","#,
                r#""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","#,
                r#""datacontenttype":"application/json","data":{"sum":5}}"#,
            )
        );
        let (read, content) = read(&json).unwrap();
        assert_eq!((&*read.id, &*read.source, content), ("17", "shop", &br#"{"sum":5}"#[..]));
        assert_eq!(read.time, Some(event().time));
        assert_eq!(read.context.as_deref(), Some(event().context));
        assert_eq!(read.session, Some(event().session.to_string().into()));
        assert_eq!(read.trace_parent.as_deref(), event().trace_parent);
    }

    /// JSON format, section 3.2: the third example.
    #[test]
    fn reads_the_example_of_the_specification() {
        let json = r#"{
            "specversion" : "1.0", "type" : "shop.paid", "source" : "/mycontext", "subject": null, "id" : "C234-1234-1234",
            "time" : "2018-04-05T17:31:00Z", "comexampleextension1" : "value", "comexampleothervalue" : 5,
            "datacontenttype" : "application/json",
            "data" : { "appinfoA" : "abc", "appinfoB" : 123, "appinfoC" : true }
        }"#;
        let (event, data) = read(json).unwrap();
        assert_eq!((&*event.id, &*event.source), ("C234-1234-1234", "/mycontext"));
        assert_eq!(event.time, DateTime::from_timestamp(1_522_949_460, 0));
        assert_eq!((event.context, event.session), (None, None));
        assert_eq!(data, br#"{ "appinfoA" : "abc", "appinfoB" : 123, "appinfoC" : true }"#);
    }

    const START: &str = r#""specversion":"1.0","type":"shop.paid","source":"/","id":"1""#;

    /// JSON format, sections 2.2 and 3.1: null is an absent attribute, and data like any other.
    #[test]
    fn a_null_attribute_is_absent_and_null_data_is_not() {
        let json = format!(r#"{{{START},"data":null,"time":null,"datacontenttype":null,"data_base64":null}}"#);
        let (event, data) = read(&json).unwrap();
        assert_eq!((event.time, data), (None, &b"null"[..]));
        let missing = read(r#"{"specversion":"1.0","type":"shop.paid","source":"/","id":null,"data":1}"#).unwrap_err();
        assert_eq!((missing.pointer.as_str(), missing.keyword), ("/id", "required"));
    }

    #[test]
    fn names_and_strings_may_have_escapes() {
        let json = r#"{"specversion":"1\u002e0","type":"shop.paid","source":"/","\u0069d":"\u00fc","data":[]}"#;
        assert_eq!(read(json).unwrap().0.id, "ü");
    }

    #[test]
    fn says_where_an_event_is_broken() {
        for (members, pointer, keyword, message) in [
            (format!("{START},\"data_base64\":\"AQ==\""), "/data_base64", "contentEncoding", "found binary data"),
            (START.to_owned(), "/data", "required", "missing"),
            (format!("{START},\"data\":1,\"data\":1"), "/data", "json", "twice"),
            (format!("{START},\"data\":1,\"id\":\"2\""), "/id", "const", "two values"),
            (format!("{START},\"data\":1,\"Id\":\"2\""), "", "propertyNames", "found \"Id\""),
            (format!("{START},\"data\":1,\"time\":5"), "/time", "type", "expected a date and time"),
            (format!("{START},\"data\":1,\"twylacontext\":{{}}"), "/twylacontext", "type", "expected a string"),
            (format!("{START},\"data\":1,\"more\":[]"), "/more", "type", "expected a string, a number or a boolean"),
            (format!("{START},\"data\":1,\"subject\":\"\\ud800\""), "/subject", "type", "expected a string"),
            (format!("{START},\"Id\":1,\"data\":"), "", "json", "not valid JSON"),
            (r#""event_name":"shop.paid","content":{},"context":{}"#.to_owned(), "", "propertyNames", "\"event_name\""),
        ] {
            let json = format!("{{{members}}}");
            let refused = read(&json).unwrap_err();
            assert_eq!((refused.pointer.as_str(), refused.keyword), (pointer, keyword), "{json}");
            assert!(refused.message.contains(message), "{json}: {refused}");
        }
        for (text, message) in [
            ("", "ends too early"),
            ("nonsense", "not valid JSON"),
            ("[]", "expected a CloudEvent: an object"),
            ("\"secret\"", "expected a CloudEvent: an object"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.keyword == "json" && refused.message.contains(message), "{text}: {refused}");
            assert!(!refused.message.contains("secret"), "{refused}");
        }
        assert!(decode_json(b"{\"id\":\"\xff\"}", "a.b").unwrap_err().message.contains("not valid UTF-8"));
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(text in any::<String>(), app_id in any::<String>(), id in "[ -~]{1,40}") {
            let context = serde_json::json!({ "text": text }).to_string();
            let new = NewEvent { app_id: &app_id, id: &id, context: &context, ..event() };
            let json = encode_json(&new, context.as_bytes());
            let (read, content) = decode_json(&json, "shop.paid").unwrap();
            prop_assert_eq!((&*read.id, content), (id.as_str(), context.as_bytes()));
            let read = read.context.unwrap();
            let value: serde_json::Value = serde_json::from_str(&read).unwrap();
            prop_assert_eq!(value["text"].as_str(), Some(text.as_str()));
            prop_assert!(!read.contains(char::is_control));
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), members in any::<String>()) {
            let _ = decode_json(&bytes, "shop.paid");
            let _ = decode_json(format!("{{{members}}}").as_bytes(), "shop.paid");
        }
    }
}
