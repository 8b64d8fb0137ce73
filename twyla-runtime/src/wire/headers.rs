//! CloudEvents in binary mode over AMQP 0-9-1: attributes as headers (AMQP binding, section 3.1.3).
//!
//! The binding is written for AMQP 1.0, whose application properties RabbitMQ converts to headers and back. Its prefix is
//! `cloudEvents:`; later drafts allow `cloudEvents_` too. The RabbitMQ binding of Knative has `ce-`.

use std::borrow::Cow;
use std::str;

use chrono::DateTime;
use twyla_codec::cloud_event::{AttributeValue, Attributes};
use twyla_codec::validate::Violation;

use crate::dead_letter::headers::Header;
use crate::transport::field::{FieldValue, Reader};

/// The prefix of written attributes.
pub(super) const PREFIX: &str = "cloudEvents:";
/// The prefixes of read attributes.
const PREFIXES: [&str; 3] = [PREFIX, "cloudEvents_", "ce-"];
/// The attributes that each event has.
const REQUIRED: [&str; 4] = ["specversion", "type", "source", "id"];
/// The attribute that the message has as its content type.
const CONTENT_TYPE: &str = "datacontenttype";

/// Returns whether a required attribute is among the headers.
pub(crate) fn has_attributes<N: AsRef<str>>(headers: &[(N, Header)]) -> bool {
    headers.iter().any(|(name, _)| attribute(name.as_ref()).is_some_and(|name| REQUIRED.contains(&name)))
}

/// Returns the name of an attribute from that of its header.
pub(crate) fn attribute(header: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| header.strip_prefix(prefix))
}

/// Reads the attributes of a message in binary mode.
///
/// # Errors
/// A [`Violation`] if a header's name or value can't be that of an attribute.
pub(super) fn attributes<'a, N: AsRef<str>>(
    headers: &'a [(N, Header)],
    content_type: Option<&'a str>,
) -> Result<Attributes<'a>, Violation> {
    let mut attributes = Attributes::default();
    for (name, header) in headers {
        let Some(name) = attribute(name.as_ref()).filter(|name| *name != CONTENT_TYPE) else { continue };
        if let Some(value) = value(name, header) {
            attributes.add(name, value)?;
        }
    }
    if let Some(content_type) = content_type {
        attributes.add(CONTENT_TYPE, AttributeValue::Text(content_type.into()))?;
    }
    Ok(attributes)
}

/// Returns the value of an attribute; `None` if it is null. Values may be of AMQP's types or in their string form (section
/// 3.1.3.2).
fn value<'a>(name: &str, header: &'a Header) -> Option<AttributeValue<'a>> {
    let number = |number: i64| match name {
        // AMQP 1.0 has timestamps in milliseconds, which some clients write as integers
        "time" => DateTime::from_timestamp_millis(number).map_or(AttributeValue::None, AttributeValue::Time),
        _ => AttributeValue::Other,
    };
    let raw = match header {
        Header::Text(text) => return Some(AttributeValue::Text(Cow::Borrowed(text))),
        Header::Number(value) => return Some(number(*value)),
        Header::Flag(_) => return Some(AttributeValue::Other),
        Header::Raw(raw) => raw,
    };
    Some(match raw.split_first()? {
        (b'V', _) => return None,
        // some clients write texts as binary values; other binary values are those of extensions that Twyla doesn't read
        (kind @ (b'S' | b'x'), bytes) => match Reader(bytes).long().map(str::from_utf8) {
            Some(Ok(text)) => AttributeValue::Text(text.into()),
            Some(Err(_)) if *kind == b'x' => AttributeValue::Other,
            _ => AttributeValue::None,
        },
        // a timestamp of AMQP 0-9-1, in seconds
        (b'T', seconds) => {
            let seconds = Reader(seconds).u64().and_then(|seconds| i64::try_from(seconds).ok());
            let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            time.map_or(AttributeValue::None, AttributeValue::Time)
        }
        _ => match FieldValue(raw).known() {
            Some(Header::Number(value)) => number(value),
            Some(_) => AttributeValue::Other,
            None => AttributeValue::None,
        },
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::Utc;

    use super::*;

    fn raw(kind: u8, value: &[u8]) -> Header {
        Header::Raw([&[kind], value].concat().into())
    }

    fn long(kind: u8, text: &[u8]) -> Header {
        let size = u32::try_from(text.len()).unwrap().to_be_bytes();
        raw(kind, &[&size, text].concat())
    }

    fn required(prefix: &str) -> Vec<(String, Header)> {
        [("specversion", "1.0"), ("type", "shop.paid"), ("source", "/"), ("id", "1")]
            .map(|(name, value)| (format!("{prefix}{name}"), Header::Text(value.to_owned())))
            .to_vec()
    }

    fn time(header: Header) -> Result<Option<DateTime<Utc>>, Violation> {
        let headers = [required("ce-"), vec![("ce-time".to_owned(), header)]].concat();
        let event = attributes(&headers, None)?.check("shop.paid")?;
        Ok(event.time)
    }

    #[test]
    fn reads_the_prefixes_of_each_binding() {
        for prefix in PREFIXES {
            let headers = required(prefix);
            assert!(has_attributes(&headers));
            assert!(attributes(&headers, Some("application/json")).unwrap().check("shop.paid").is_ok(), "{prefix}");
        }
        // a message may have the headers of two bindings
        let both = [required("ce-"), required("cloudEvents:")].concat();
        assert!(attributes(&both, None).unwrap().check("shop.paid").is_ok());
    }

    /// AMQP binding, section 3.1.1: the content type is `datacontenttype`.
    #[test]
    fn the_content_type_of_the_message_is_that_of_the_data() {
        let headers = [required("ce-"), vec![("ce-datacontenttype".to_owned(), Header::Text("x".to_owned()))]].concat();
        assert!(attributes(&headers, None).unwrap().check("shop.paid").is_ok());
        let refused = attributes(&headers, Some("text/plain")).unwrap().check("shop.paid").unwrap_err();
        assert_eq!(refused.pointer, "/datacontenttype");
    }

    /// AMQP binding, section 3.1.3.2: native types and strings.
    #[test]
    fn reads_a_time_in_each_form() {
        let expected = DateTime::from_timestamp(1_522_949_460, 0);
        for header in [
            Header::Text("2018-04-05T17:31:00Z".to_owned()),
            long(b'S', b"2018-04-05T17:31:00Z"),
            raw(b'T', &1_522_949_460_u64.to_be_bytes()),
            raw(b'l', &1_522_949_460_000_i64.to_be_bytes()),
        ] {
            assert_eq!(time(header.clone()).unwrap(), expected, "{header:?}");
        }
        assert_eq!(time(raw(b'V', &[])).unwrap(), None);
        for bad in [raw(b'T', &[255; 8]), raw(b't', &[1]), raw(b'l', &i64::MAX.to_be_bytes()), raw(b'F', &[0; 4])] {
            assert_eq!(time(bad.clone()).unwrap_err().pointer, "/time", "{bad:?}");
        }
    }

    #[test]
    fn reads_texts_of_both_types_and_refuses_others() {
        let id = |header: Header| {
            let mut headers = required("ce-");
            headers[3].1 = header;
            let event = attributes(&headers, None).and_then(|attributes| attributes.check("shop.paid"));
            event.map(|event| event.id.into_owned()).map_err(|refused| refused.keyword)
        };
        assert_eq!((id(long(b'S', "ü".as_bytes())), id(long(b'x', b"17"))), (Ok("ü".to_owned()), Ok("17".to_owned())));
        for bad in [long(b'S', b"\xff"), long(b'x', b"\xff"), raw(b'I', &[0; 4]), raw(b'd', &[0; 8]), long(b'A', b"")] {
            assert_eq!(id(bad.clone()), Err("type"), "{bad:?}");
        }
        assert_eq!(id(Header::Raw(Bytes::from_static(b"V"))), Err("required"));
    }

    /// Core specification, "Type System": Binary is a type of attributes. AMQP binding, section 3.1.3.2: it is AMQP's `binary`.
    #[test]
    fn accepts_binary_extensions() {
        let with = |value: Header| {
            let headers = [required("cloudEvents:"), vec![("cloudEvents:signature".to_owned(), value)]].concat();
            attributes(&headers, None)
                .and_then(|attributes| attributes.check("shop.paid"))
                .map(drop)
                .map_err(|refused| refused.pointer)
        };
        assert!(with(long(b'x', b"\xff\0")).is_ok());
        // a string isn't binary, and a value must be whole
        for bad in [long(b'S', b"\xff\0"), raw(b'x', &[0, 0, 0, 9, 1])] {
            assert_eq!(with(bad.clone()), Err("/signature".to_owned()), "{bad:?}");
        }
    }
}
