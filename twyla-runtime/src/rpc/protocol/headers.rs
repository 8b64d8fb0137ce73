//! The headers of a call, and their encoding.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The context, a JSON text in ASCII.
pub(crate) const CONTEXT: &str = "twyla-context";
/// The session's id, a UUID.
pub(crate) const SESSION: &str = "twyla-session";
/// The header with the time that the caller waits, in milliseconds.
pub(crate) const TIMEOUT: &str = "twyla-timeout-ms";
/// The number of the attempt, from 1; absent for the first.
pub(crate) const ATTEMPT: &str = "twyla-attempt";
/// A key that stays the same for all attempts at a call.
pub(crate) const KEY: &str = "idempotency-key";
/// The header of an answer that says whether calls of this RPC may be repeated.
pub(crate) const IDEMPOTENT: &str = "twyla-idempotent";
/// The content type of requests and responses.
pub(crate) const JSON: &str = "application/json";
/// The content coding of an unencoded body.
pub(crate) const IDENTITY: &str = "identity";
/// The content type of problem details (RFC 9457).
pub(crate) const PROBLEM: &str = "application/problem+json";

/// The maximum size of a context in bytes: servers and proxies accept 8 to 16 KiB of headers in total.
pub(crate) const MAX_CONTEXT: usize = 6 << 10;

/// Escapes a JSON text to ASCII for a header. Only strings in it have non-ASCII characters, and JSON can escape these.
pub(crate) fn ascii_json(text: Bytes) -> Bytes {
    let plain = |byte: u8| byte.is_ascii() && byte != 0x7f;
    if text.iter().all(|byte| plain(*byte)) {
        return text;
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut units = [0; 2];
    for c in String::from_utf8_lossy(&text).chars() {
        match u8::try_from(c) {
            Ok(byte) if plain(byte) => out.push(byte),
            _ => {
                for unit in c.encode_utf16(&mut units) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
    out.into()
}

/// The characters that are escaped in a header's text: all that aren't visible ASCII, and also `%`, `"` and `\`.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'"').add(b'\\');

/// Escapes everything but visible ASCII.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, ESCAPED).into()
}

/// Reverses [`escaped`]. Text that isn't escaped, as other programs may send it, stays as it is.
pub(crate) fn unescaped(header: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(header).ok()?.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    Some(percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned))
}

/// Returns a timeout in milliseconds, rounded up, so that the service doesn't stop early.
pub(crate) fn millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Parses an integer of at most `digits` digits.
pub(crate) fn number(header: &[u8], digits: usize) -> Option<u64> {
    let text = std::str::from_utf8(header).ok()?.trim();
    let plain = !text.is_empty() && text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Returns whether a content type is JSON; its parameters are ignored.
pub(crate) fn is_json(content_type: &[u8]) -> bool {
    // the usual case
    content_type == JSON.as_bytes() || kind(content_type).is_some_and(|kind| kind.eq_ignore_ascii_case(JSON))
}

/// Returns whether a comma-separated list of content codings leaves the body unchanged.
pub(crate) fn is_identity(codings: &[u8]) -> bool {
    let mut codings = codings.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(IDENTITY.as_bytes()))
}

/// Returns whether a content type is [`PROBLEM`]; its parameters are ignored.
pub(crate) fn is_problem(content_type: &[u8]) -> bool {
    kind(content_type).is_some_and(|kind| kind.eq_ignore_ascii_case(PROBLEM))
}

fn kind(content_type: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(content_type).ok()?;
    text.split(';').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_ascii() {
        let text = "{\"user\":\"Zoë 😀\u{7f}\",\"n\":1}";
        let ascii = ascii_json(text.into());
        assert_eq!(&ascii[..], br#"{"user":"Zo\u00eb \ud83d\ude00\u007f","n":1}"#);
        assert_eq!(&ascii_json("\"\u{7f}\"".into())[..], br#""\u007f""#);
        let back: serde_json::Value = serde_json::from_slice(&ascii).unwrap();
        assert_eq!(back, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }

    #[test]
    fn sessions_come_back() {
        for text in ["", "a", "0192f0c1-7a3e", "a session of python's", "100 %", "\"x\"", "é\n", "%41", "a\\b", " x "]
        {
            let header = escaped(text);
            assert!(header.bytes().all(|byte| byte.is_ascii_graphic()), "{header}");
            assert_eq!(unescaped(header.as_bytes()).as_deref(), Some(text));
        }
        for (header, text) in [("100%", "100%"), ("%zz", "%zz"), ("%ff", "%ff"), ("\"k-1\"", "k-1"), ("a b", "a b")] {
            assert_eq!(unescaped(header.as_bytes()).as_deref(), Some(text), "{header}");
        }
        assert_eq!(unescaped(b"\xff"), None);
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!(number(b" 1500 ", 9), Some(1500));
        for bad in ["", "-1", "1.5", "+1", "1e3", "0x1", "1234567890", "1s"] {
            assert_eq!(number(bad.as_bytes(), 9), None, "{bad}");
        }
        assert_eq!(millis(Duration::from_micros(1001)), 2);
    }

    #[test]
    fn content_types_have_parameters() {
        assert!(is_json(b"Application/JSON; charset=utf-8") && !is_json(b"application/jsonp") && !is_json(b"\xff"));
        assert!(is_problem(b"application/problem+json") && !is_problem(b"application/json"));
    }

    #[test]
    fn only_identity_leaves_a_body_as_it_is() {
        for none in ["", "identity", " Identity , identity", ","] {
            assert!(is_identity(none.as_bytes()), "{none:?}");
        }
        for coding in ["gzip", "identity, br", "x-gzip", "identity;q=1", "\u{ff}"] {
            assert!(!is_identity(coding.as_bytes()), "{coding:?}");
        }
    }
}
