//! The envelope: the bytes that go over the wire, written exactly and read with tolerance.

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::validate::Violation;

/// The version that an envelope is written with.
pub(crate) const VERSION: &str = "1.0";

/// Writes the envelope of an event; `content` and `context` append their JSON texts.
pub(crate) fn encode<E>(
    event: &str,
    content: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    context: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    timestamp: DateTime<Utc>,
    session_id: &str,
) -> Result<Vec<u8>, E> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"event_name\":");
    text(event, &mut out);
    out.extend_from_slice(b",\"content\":");
    content(&mut out)?;
    out.extend_from_slice(b",\"context\":");
    context(&mut out)?;
    out.extend_from_slice(b",\"meta\":{\"version\":");
    text(VERSION, &mut out);
    out.extend_from_slice(b",\"timestamp\":");
    text(&write_timestamp(timestamp), &mut out);
    out.extend_from_slice(b",\"session_id\":");
    text(session_id, &mut out);
    out.extend_from_slice(b"}}");
    Ok(out)
}

/// RFC 3339 in UTC with microseconds and the offset in digits, which every Python that knows `fromisoformat` reads.
pub(crate) fn write_timestamp(timestamp: DateTime<Utc>) -> String {
    timestamp.to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn text(text: &str, out: &mut Vec<u8>) {
    // Writing a string to a vector can't fail.
    let _ = serde_json::to_writer(out, text);
}

/// An envelope that was read: the two parts that belong to contracts, still as JSON text, and the meta data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) content: Bytes,
    pub(crate) context: Bytes,
    pub(crate) version: Option<String>,
    pub(crate) timestamp: Option<DateTime<Utc>>,
    pub(crate) session_id: Option<String>,
}

/// Reads the envelope of a message that came out of the queue of `event`.
///
/// # Errors
/// A [`Violation`] whose pointer is into the whole message.
pub(crate) fn decode(body: &Bytes, event: &str) -> Result<Envelope, Violation> {
    let text = std::str::from_utf8(body)
        .map_err(|e| violation("", "json", format!("is not UTF-8: invalid from byte {} on", e.valid_up_to())))?;
    let raw: RawEnvelope<'_> = serde_json::from_str(text).map_err(|e| violation("", "json", not_an_envelope(&e)))?;
    if !is_object(text) {
        return Err(violation("", "type", "is no object".to_owned()));
    }

    if let Some(name) = raw.event_name
        && name.get().strip_prefix('"').and_then(|name| name.strip_suffix('"')) != Some(event)
    {
        match serde_json::from_str::<String>(name.get()) {
            Ok(name) if name == event => {}
            Ok(name) => {
                let why = format!("is {:?}, but this is the queue of {event}", shortened(&name));
                return Err(violation("/event_name", "const", why));
            }
            Err(_) => return Err(violation("/event_name", "type", "is no string".to_owned())),
        }
    }
    let content = raw.content.ok_or_else(|| violation("/content", "required", "is missing".to_owned()))?;
    let context = raw.context.ok_or_else(|| violation("/context", "required", "is missing".to_owned()))?;
    let meta = raw.meta.map_or(Ok(Meta::default()), |meta| {
        serde_json::from_str::<RawMeta<'_>>(meta.get())
            .ok()
            .filter(|_| is_object(meta.get()))
            .ok_or_else(|| violation("/meta", "type", "is no object, or has a key twice".to_owned()))
            .and_then(Meta::read)
    })?;
    Ok(Envelope {
        content: body.slice_ref(content.get().as_bytes()),
        context: body.slice_ref(context.get().as_bytes()),
        version: meta.version,
        timestamp: meta.timestamp,
        session_id: meta.session_id,
    })
}

/// The content and the context of an envelope, as JSON texts, for the command line to hold them to their contracts.
///
/// # Errors
/// A [`Violation`] whose pointer is into the whole message.
pub fn open(body: &[u8], event: &str) -> Result<(Bytes, Bytes), Violation> {
    decode(&Bytes::copy_from_slice(body), event).map(|envelope| (envelope.content, envelope.context))
}

#[derive(Deserialize)]
struct RawEnvelope<'a> {
    #[serde(borrow, default)]
    event_name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    content: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    context: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawMeta<'a> {
    #[serde(borrow, default)]
    version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    session_id: Option<&'a RawValue>,
}

/// A derived struct reads an array of its fields' values too.
fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

/// A `null` is a value here, for the contract to judge.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Default)]
struct Meta {
    version: Option<String>,
    timestamp: Option<DateTime<Utc>>,
    session_id: Option<String>,
}

impl Meta {
    fn read(raw: RawMeta<'_>) -> Result<Self, Violation> {
        let word = |value: Option<&RawValue>, pointer| match value {
            Some(value) => text_or_number(value.get())
                .map(Some)
                .ok_or_else(|| violation(pointer, "type", "is neither a string nor a number".to_owned())),
            None => Ok(None),
        };
        let timestamp = match raw.timestamp {
            None => None,
            Some(value) => {
                let text: String = serde_json::from_str(value.get())
                    .map_err(|_| violation("/meta/timestamp", "type", "is no string".to_owned()))?;
                Some(read_timestamp(&text).ok_or_else(|| {
                    let why = format!("{:?} is no ISO 8601 date and time", shortened(&text));
                    violation("/meta/timestamp", "format", why)
                })?)
            }
        };
        Ok(Self {
            version: word(raw.version, "/meta/version")?,
            timestamp,
            session_id: word(raw.session_id, "/meta/session_id")?.filter(|id| !id.is_empty()),
        })
    }
}

fn text_or_number(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

/// Reads RFC 3339, and ISO 8601 without a zone, which is taken as UTC.
fn read_timestamp(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok().or_else(|| {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|time| time.and_utc())
    })
}

fn not_an_envelope(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "is JSON that ends too early",
        Category::Syntax | Category::Io => "is no JSON",
        // The text of such an error may quote the message, so it isn't passed on.
        Category::Data => "is no envelope: it must be an object that has each of its keys once",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(64)]
}

fn violation(pointer: &str, keyword: &'static str, message: String) -> Violation {
    Violation { pointer: pointer.to_owned(), keyword, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Envelope, Violation> {
        decode(&Bytes::copy_from_slice(json.as_bytes()), "api.user_input")
    }

    #[test]
    fn writes_the_envelope_byte_for_byte() {
        let time = DateTime::from_timestamp(1_751_000_000, 120_000).unwrap();
        let part = |json: &'static str| {
            move |out: &mut Vec<u8>| {
                out.extend_from_slice(json.as_bytes());
                Ok::<_, ()>(())
            }
        };
        let body = encode("api.user_input", part(r#"{"a":"ü"}"#), part("{}"), time, "a \"b\"").unwrap();
        assert_eq!(
            String::from_utf8(body.clone()).unwrap(),
            r#"{"event_name":"api.user_input","content":{"a":"ü"},"context":{},"meta":{"version":"1.0","timestamp":"2025-06-27T04:53:20.000120+00:00","session_id":"a \"b\""}}"#
        );
        let read = decode(&body.into(), "api.user_input").unwrap();
        assert_eq!((read.timestamp, read.session_id.as_deref()), (Some(time), Some("a \"b\"")));
        assert_eq!(encode("a.b", |_| Err(1), |_| Err(2), time, ""), Err(1));
    }

    #[test]
    fn reads_with_tolerance() {
        let bare = read(r#" {"content": {"a":1} ,"context":null} "#).unwrap();
        assert_eq!((&bare.content[..], &bare.context[..]), (&br#"{"a":1}"#[..], &b"null"[..]));
        assert_eq!((bare.version, bare.timestamp, bare.session_id), (None, None, None));

        for (timestamp, micros) in [
            ("2020-02-03T04:05:06.000789", 789),
            ("2020-02-03T04:05:06", 0),
            ("2020-02-03 04:05:06.5", 500_000),
            ("2020-02-03T04:05:06.000789Z", 789),
            ("2020-02-03T05:05:06.000789+01:00", 789),
        ] {
            let json = format!(
                r#"{{"event_name":"api.user\u005finput","x":[{{}}],"content":{{}},"context":{{}},"extra":1,
                "meta":{{"version":2.50,"timestamp":"{timestamp}","session_id":"","more":null}}}}"#
            );
            let envelope = read(&json).unwrap();
            assert_eq!(envelope.version.as_deref(), Some("2.50"));
            let want = DateTime::from_timestamp(1_580_702_706, micros * 1000).unwrap();
            assert_eq!((envelope.timestamp, envelope.session_id), (Some(want), None), "{timestamp}");
        }
        let deep = format!(r#"{{"content":{}{},"context":{{}},"meta":null}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(read(&deep).unwrap().content.len(), 20_000);
    }

    #[test]
    fn says_where_an_envelope_is_broken() {
        for (json, pointer, keyword, message) in [
            ("", "", "json", "ends too early"),
            ("{\"content\":{", "", "json", "ends too early"),
            ("nonsense", "", "json", "no JSON (line 1, column 2)"),
            ("[1,{},{}]", "", "type", "no object"),
            ("[null,{},{},null]", "", "type", "no object"),
            ("\"secret\"", "", "json", "no envelope"),
            (r#"{"content":1,"content":2,"context":{}}"#, "", "json", "once"),
            (r#"{"context":{}}"#, "/content", "required", "missing"),
            (r#"{"content":{}}"#, "/context", "required", "missing"),
            (r#"{"event_name":"a.b","content":{},"context":{}}"#, "/event_name", "const", "\"a.b\", but this is"),
            (r#"{"event_name":7,"content":{},"context":{}}"#, "/event_name", "type", "no string"),
            (r#"{"content":{},"context":{},"meta":[]}"#, "/meta", "type", "no object"),
            (r#"{"content":{},"context":{},"meta":{"timestamp":1}}"#, "/meta/timestamp", "type", "no string"),
            (r#"{"content":{},"context":{},"meta":{"timestamp":"soon"}}"#, "/meta/timestamp", "format", "\"soon\""),
            (r#"{"content":{},"context":{},"meta":{"session_id":{}}}"#, "/meta/session_id", "type", "neither"),
            (r#"{"content":{},"context":{},"meta":{"version":true}}"#, "/meta/version", "type", "neither"),
        ] {
            let found = read(json).unwrap_err();
            assert_eq!((found.pointer.as_str(), found.keyword), (pointer, keyword), "{json}");
            assert!(found.message.contains(message), "{json}: {found}");
            assert!(!found.message.contains("secret"), "{found}");
        }
        let invalid = decode(&Bytes::from_static(b"{\"content\":\"\xff\"}"), "a.b").unwrap_err();
        assert!(invalid.message.contains("from byte 12 on"), "{invalid}");
    }

    #[test]
    fn keeps_content_and_context_where_they_are() {
        let body = Bytes::from_static(br#"{"content":{"a":1},"context":{"b":2}}"#);
        let envelope = decode(&body, "a.b").unwrap();
        let range = body.as_ptr_range();
        assert!(range.contains(&envelope.content.as_ptr()) && range.contains(&envelope.context.as_ptr()));
    }
}
