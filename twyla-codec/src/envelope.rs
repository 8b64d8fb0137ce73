//! The envelope of an event on the wire: written exactly, read with tolerance.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::json;
use crate::violation::Violation;

/// The maximum number of bytes of a sender's text in a message.
const SHOWN: usize = 64;

/// The version of written envelopes: a number, because the Python original reads it as an `int`.
pub const VERSION: i64 = 1;

/// Writes the envelope of an event; `content` and `context` append their JSON texts.
///
/// # Errors
/// The error of `content` or of `context`.
pub fn encode<E>(
    event: &str,
    content: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    context: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    timestamp: DateTime<Utc>,
    session_id: Uuid,
) -> Result<Vec<u8>, E> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"event_name\":");
    text(event, &mut out);
    out.extend_from_slice(b",\"content\":");
    content(&mut out)?;
    out.extend_from_slice(b",\"context\":");
    context(&mut out)?;
    out.extend_from_slice(b",\"meta\":{\"version\":");
    // Writing a number to a vector can't fail.
    let _ = serde_json::to_writer(&mut out, &VERSION);
    out.extend_from_slice(b",\"timestamp\":");
    text(&write_timestamp(timestamp), &mut out);
    out.extend_from_slice(b",\"session_id\":\"");
    out.extend_from_slice(session_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    out.extend_from_slice(b"\"}}");
    Ok(out)
}

/// Formats a time as RFC 3339 in UTC with microseconds and a numeric offset, which `fromisoformat` of every Python can read.
#[must_use]
pub fn write_timestamp(timestamp: DateTime<Utc>) -> String {
    timestamp.to_rfc3339_opts(SecondsFormat::Micros, false)
}

pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    // Writing a string to a vector can't fail.
    let _ = serde_json::to_writer(out, text);
}

/// A decoded envelope: content and context as JSON text within the message, and the metadata.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The JSON text of the event's content.
    pub content: &'a [u8],
    /// The JSON text of its context.
    pub context: &'a [u8],
    /// The envelope's version; [`VERSION`] if the sender wrote no integer.
    pub version: i64,
    /// When the event was emitted, if the sender wrote it.
    pub timestamp: Option<DateTime<Utc>>,
    /// The session: the text that the sender wrote, or the JSON text of a value that isn't a string.
    pub session: Option<Cow<'a, str>>,
}

/// Reads the envelope of a message from the queue of `event`.
///
/// # Errors
/// A [`Violation`] whose pointer is into the whole message.
pub fn decode<'a>(body: &'a [u8], event: &str) -> Result<Envelope<'a>, Violation> {
    let text = std::str::from_utf8(body)
        .map_err(|e| no_json(body, || format!("is not valid UTF-8 from byte {} on", e.valid_up_to())))?;
    let raw: RawEnvelope<'_> = serde_json::from_str(text)
        .map_err(|e| no_json(body, || not_an_object(&e, "expected an envelope: an object with each key once")))?;
    if !is_object(text) {
        return Err(violation("", "type", "expected an object".to_owned()));
    }

    if let Some(name) = raw.event_name
        && name.get().strip_prefix('"').and_then(|name| name.strip_suffix('"')) != Some(event)
    {
        match serde_json::from_str::<String>(name.get()) {
            Ok(name) if name == event => {}
            Ok(name) => {
                let why = format!("expected \"{event}\", found {:?}", shown(&name));
                return Err(violation("/event_name", "const", why));
            }
            Err(_) => return Err(violation("/event_name", "type", "expected a string".to_owned())),
        }
    }
    let content = raw.content.ok_or_else(|| violation("/content", "required", "the member is missing".to_owned()))?;
    let context = raw.context.ok_or_else(|| violation("/context", "required", "the member is missing".to_owned()))?;
    let meta = raw.meta.map_or(Ok(EnvelopeMeta::default()), |meta| {
        serde_json::from_str::<RawMeta<'_>>(meta.get())
            .ok()
            .filter(|_| is_object(meta.get()))
            .ok_or_else(|| violation("/meta", "type", "expected an object with each key once".to_owned()))
            .and_then(EnvelopeMeta::read)
    })?;
    Ok(Envelope {
        content: content.get().as_bytes(),
        context: context.get().as_bytes(),
        version: meta.version,
        timestamp: meta.timestamp,
        session: meta.session,
    })
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

/// Returns whether a text is a JSON object: a derived `Deserialize` would accept an array of the fields' values too.
pub(crate) fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

/// Reads `null` as a value, not as an absent member: the contract accepts or refuses it.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

struct EnvelopeMeta<'a> {
    version: i64,
    timestamp: Option<DateTime<Utc>>,
    session: Option<Cow<'a, str>>,
}

impl Default for EnvelopeMeta<'_> {
    fn default() -> Self {
        Self { version: VERSION, timestamp: None, session: None }
    }
}

impl<'a> EnvelopeMeta<'a> {
    fn read(raw: RawMeta<'a>) -> Result<Self, Violation> {
        let timestamp = match raw.timestamp {
            None => None,
            Some(value) => {
                let text: String = serde_json::from_str(value.get())
                    .map_err(|_| violation("/meta/timestamp", "type", "expected a string".to_owned()))?;
                Some(read_timestamp(&text).ok_or_else(|| {
                    let why = format!("{:?} is not an ISO 8601 date and time", shown(&text));
                    violation("/meta/timestamp", "format", why)
                })?)
            }
        };
        Ok(Self {
            version: raw.version.and_then(|value| integer(&unquoted(value))).unwrap_or(VERSION),
            timestamp,
            session: raw.session_id.map(unquoted),
        })
    }
}

/// Returns the text of a string, or the JSON text of another value.
fn unquoted(value: &RawValue) -> Cow<'_, str> {
    serde_json::from_str::<String>(value.get()).map_or(Cow::Borrowed(value.get()), Cow::Owned)
}

/// Reads an integer in any notation of JSON: `1`, `1.0` and `10e-1`.
fn integer(text: &str) -> Option<i64> {
    let number: serde_json::Number = serde_json::from_str(text.trim()).ok()?;
    number.as_i64().or_else(|| {
        // within these bounds an `f64` holds each integer exactly
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is integral and within 2^53")]
        Some(float as i64)
    })
}

/// Parses RFC 3339, and ISO 8601 without a time zone as UTC.
fn read_timestamp(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok().or_else(|| {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|time| time.and_utc())
    })
}

/// Returns the violation of a message that is not JSON. Its text names the encoding if that isn't plain UTF-8;
/// otherwise it is `why`.
pub(crate) fn no_json(body: &[u8], why: impl FnOnce() -> String) -> Violation {
    violation("", "json", json::other_encoding(body).map_or_else(why, |encoding| format!("the text {encoding}")))
}

/// Describes a text that serde can't read as `expected`.
pub(crate) fn not_an_object(error: &serde_json::Error, expected: &str) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "the JSON text ends too early",
        Category::Syntax | Category::Io => "the text is not valid JSON",
        // The text of such an error may quote the message, so it isn't passed on.
        Category::Data => expected,
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

/// Returns the beginning of a sender's text, at most [`SHOWN`] bytes.
pub(crate) fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN)]
}

pub(crate) fn violation(pointer: &str, keyword: &'static str, message: String) -> Violation {
    Violation { pointer: pointer.to_owned(), keyword, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Envelope<'_>, Violation> {
        decode(json.as_bytes(), "api.user_input")
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
        let session = Uuid::from_u128(0x5f0c_7d9e_3b1a_4c55_9d3e_2a6f_1c0b_7e42);
        let body = encode("api.user_input", part(r#"{"a":"ü"}"#), part("{}"), time, session).unwrap();
        assert_eq!(
            String::from_utf8(body.clone()).unwrap(),
            r#"{"event_name":"api.user_input","content":{"a":"ü"},"context":{},"meta":{"version":1,"timestamp":"2025-06-27T04:53:20.000120+00:00","session_id":"5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42"}}"#
        );
        let read = decode(&body, "api.user_input").unwrap();
        assert_eq!((read.timestamp, read.session), (Some(time), Some(session.to_string().into())));
        assert_eq!(encode("a.b", |_| Err(1), |_| Err(2), time, session), Err(1));
    }

    #[test]
    fn reads_with_tolerance() {
        let bare = read(r#" {"content": {"a":1} ,"context":null} "#).unwrap();
        assert_eq!((bare.content, bare.context), (&br#"{"a":1}"#[..], &b"null"[..]));
        assert_eq!((bare.version, bare.timestamp, bare.session), (1, None, None));

        for (timestamp, micros) in [
            ("2020-02-03T04:05:06.000789", 789),
            ("2020-02-03T04:05:06", 0),
            ("2020-02-03 04:05:06.5", 500_000),
            ("2020-02-03T04:05:06.000789Z", 789),
            ("2020-02-03T05:05:06.000789+01:00", 789),
        ] {
            let json = format!(
                r#"{{"event_name":"api.user\u005finput","x":[{{}}],"content":{{}},"context":{{}},"extra":1,
                "meta":{{"version":3,"timestamp":"{timestamp}","session_id":"","more":null}}}}"#
            );
            let envelope = read(&json).unwrap();
            let want = DateTime::from_timestamp(1_580_702_706, micros * 1000).unwrap();
            let session = Some("".into());
            assert_eq!(
                (envelope.version, envelope.timestamp, envelope.session),
                (3, Some(want), session),
                "{timestamp}"
            );
        }
        let deep = format!(r#"{{"content":{}{},"context":{{}},"meta":null}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(read(&deep).unwrap().content.len(), 20_000);
    }

    #[test]
    fn reads_a_version_in_any_spelling_and_takes_any_other_value_for_the_newest() {
        for (spelling, version) in [
            ("1", 1),
            ("2", 2),
            ("-1", -1),
            ("0", 0),
            ("1.0", 1),
            ("20e-1", 2),
            ("3e2", 300),
            ("\"1.0\"", 1),
            ("\"2\"", 2),
            ("\" 2 \"", 2),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775808", VERSION),
            ("1e400", VERSION),
            ("2.50", VERSION),
            ("\"2.50\"", VERSION),
            ("\"1.0.0\"", VERSION),
            ("\"v1\"", VERSION),
            ("\"\"", VERSION),
            ("null", VERSION),
            ("true", VERSION),
            ("[2]", VERSION),
            ("{\"major\":2}", VERSION),
        ] {
            let json = format!(r#"{{"content":{{}},"context":{{}},"meta":{{"version":{spelling}}}}}"#);
            let envelope = read(&json).unwrap();
            assert_eq!(envelope.version, version, "{spelling}");
        }
    }

    #[test]
    fn reads_the_text_of_a_session_from_any_value() {
        for (json, session) in [
            ("\"s\"", "s"),
            ("\"\\u0073\"", "s"),
            ("17", "17"),
            ("true", "true"),
            ("{\"a\": 1}", "{\"a\": 1}"),
            ("\" \"", " "),
        ] {
            let json = format!(r#"{{"content":{{}},"context":{{}},"meta":{{"session_id":{json}}}}}"#);
            assert_eq!(read(&json).unwrap().session.as_deref(), Some(session), "{json}");
        }
        assert_eq!(read(r#"{"content":{},"context":{},"meta":{"session_id":null}}"#).unwrap().session, None);
    }

    #[test]
    fn says_where_an_envelope_is_broken() {
        for (json, pointer, keyword, message) in [
            ("", "", "json", "ends too early"),
            ("{\"content\":{", "", "json", "ends too early"),
            ("nonsense", "", "json", "not valid JSON (line 1, column 2)"),
            ("[1,{},{}]", "", "type", "expected an object"),
            ("[null,{},{},null]", "", "type", "expected an object"),
            ("\"secret\"", "", "json", "expected an envelope"),
            (r#"{"content":1,"content":2,"context":{}}"#, "", "json", "once"),
            (r#"{"context":{}}"#, "/content", "required", "missing"),
            (r#"{"content":{}}"#, "/context", "required", "missing"),
            (
                r#"{"event_name":"a.b","content":{},"context":{}}"#,
                "/event_name",
                "const",
                "expected \"api.user_input\", found \"a.b\"",
            ),
            (r#"{"event_name":7,"content":{},"context":{}}"#, "/event_name", "type", "expected a string"),
            (r#"{"content":{},"context":{},"meta":[]}"#, "/meta", "type", "expected an object"),
            (r#"{"content":{},"context":{},"meta":{"timestamp":1}}"#, "/meta/timestamp", "type", "expected a string"),
            (r#"{"content":{},"context":{},"meta":{"timestamp":"soon"}}"#, "/meta/timestamp", "format", "\"soon\""),
        ] {
            let found = read(json).unwrap_err();
            assert_eq!((found.pointer.as_str(), found.keyword), (pointer, keyword), "{json}");
            assert!(found.message.contains(message), "{json}: {found}");
            assert!(!found.message.contains("secret"), "{found}");
        }
        let invalid = decode(b"{\"content\":\"\xff\"}", "a.b").unwrap_err();
        assert!(invalid.message.contains("from byte 12 on"), "{invalid}");
    }
}
