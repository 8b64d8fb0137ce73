//! The envelope of a delivery, and the session that its sender named.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use twyla_codec::envelope;
use twyla_codec::validate::Violation;

use super::session::Session;

pub(crate) use twyla_codec::envelope::{VERSION, encode, write_timestamp};

/// A decoded envelope: content and context as JSON text in the delivery's own buffer, and the metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) content: Bytes,
    pub(crate) context: Bytes,
    pub(crate) version: i64,
    pub(crate) timestamp: Option<DateTime<Utc>>,
    pub(crate) session: Option<Session>,
}

/// Reads the envelope of a message from the queue of `event`.
///
/// # Errors
/// A [`Violation`] whose pointer is into the whole message.
pub(crate) fn decode(body: &Bytes, event: &str) -> Result<Envelope, Violation> {
    let envelope = envelope::decode(body, event)?;
    Ok(Envelope {
        content: body.slice_ref(envelope.content),
        context: body.slice_ref(envelope.context),
        version: envelope.version,
        timestamp: envelope.timestamp,
        session: envelope.session.and_then(|text| Session::read(&text)),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn read(json: &str) -> Result<Envelope, Violation> {
        decode(&Bytes::copy_from_slice(json.as_bytes()), "api.user_input")
    }

    #[test]
    fn reads_a_session_from_any_value() {
        let id = Uuid::from_u128(0x5f0c_7d9e_3b1a_4c55_9d3e_2a6f_1c0b_7e42);
        for (json, session) in [
            ("\"5F0C7D9E-3B1A-4C55-9D3E-2A6F1C0B7E42\"", Some(id.into())),
            ("\"s\"", Session::read("s")),
            ("\"\\u0073\"", Session::read("s")),
            ("17", Session::read("17")),
            ("true", Session::read("true")),
            ("{\"a\": 1}", Session::read("{\"a\": 1}")),
            ("\"\"", None),
            ("\" \"", None),
            ("null", None),
        ] {
            let envelope =
                read(&format!(r#"{{"content":{{}},"context":{{}},"meta":{{"session_id":{json}}}}}"#)).unwrap();
            assert_eq!(envelope.session, session, "{json}");
        }
    }

    #[test]
    fn keeps_content_and_context_where_they_are() {
        let body = Bytes::from_static(br#"{"content":{"a":1},"context":{"b":2}}"#);
        let envelope = decode(&body, "a.b").unwrap();
        let range = body.as_ptr_range();
        assert!(range.contains(&envelope.content.as_ptr()) && range.contains(&envelope.context.as_ptr()));
    }
}
