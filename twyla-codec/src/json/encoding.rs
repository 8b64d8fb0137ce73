//! Text encodings: JSON is UTF-8, every other encoding is refused.

use std::borrow::Cow;

use super::fault::Fault;

/// Returns the bytes as a string slice.
///
/// # Errors
/// A `json` fault if they are not valid UTF-8.
pub fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    // the standard library's check is slower, but reports where the text breaks
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes)).map_err(|error| no_utf8(bytes, error))
}

#[cold]
fn no_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Fault {
    Fault::new(
        "json",
        format!(
            "the text {}",
            other_encoding(bytes).map_or_else(|| format!("is not valid UTF-8: {error}").into(), Cow::Borrowed)
        ),
    )
}

/// Describes the encoding of a text that doesn't begin as JSON in UTF-8: UTF-16, or a byte order mark. `None` for any
/// other text.
///
/// ```
/// use twyla_codec::json::other_encoding;
///
/// assert_eq!(other_encoding("{}".as_bytes()), None);
/// assert_eq!(other_encoding(b"\xff\xfe{\0}\0"), Some("is UTF-16, but JSON is UTF-8"));
/// ```
#[must_use]
pub fn other_encoding(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xef, 0xbb, 0xbf, ..] => Some("begins with a byte order mark, which JSON doesn't allow"),
        // without a byte order mark, a zero byte indicates UTF-16: the first character of JSON is ASCII
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Some("is UTF-16, but JSON is UTF-8"),
        _ => None,
    }
}
