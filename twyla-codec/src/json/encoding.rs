//! Text encodings: JSON is UTF-8, and nothing else is read.

use super::fault::Fault;

/// The bytes as a text.
///
/// # Errors
/// A `json` fault where they are no UTF-8.
pub fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    // the standard library's is slower, and tells where the text breaks
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes)).map_err(|error| no_utf8(bytes, error))
}

#[cold]
fn no_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Fault {
    Fault::new("json", other_encoding(bytes).map_or_else(|| format!("is no UTF-8: {error}"), str::to_owned))
}

/// What a text is that doesn't begin as JSON in UTF-8 does: UTF-16, or UTF-8 with a byte order mark.
///
/// ```
/// use twyla_codec::json::other_encoding;
///
/// assert_eq!(other_encoding("{}".as_bytes()), None);
/// assert_eq!(other_encoding(b"\xff\xfe{\0}\0"), Some("is UTF-16, and JSON is UTF-8"));
/// ```
#[must_use]
pub fn other_encoding(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xef, 0xbb, 0xbf, ..] => Some("begins with a byte order mark, which JSON doesn't allow"),
        // without a mark its first character shows it: JSON begins with one of ASCII
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Some("is UTF-16, and JSON is UTF-8"),
        _ => None,
    }
}
