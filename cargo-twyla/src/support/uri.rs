//! Relative references: paths between files, and percent-encoding.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The characters that must be escaped in a fragment (RFC 3986, section 3.5).
const NOT_IN_FRAGMENTS: &AsciiSet =
    &BEFORE_LETTERS.add(b'[').add(b'\\').add(b']').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
/// Those of them before `A` in ASCII, and the control characters.
const BEFORE_LETTERS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>');

/// Returns the relative path from one file to another.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count().min(from.len() - 1).min(to.len() - 1);
    format!("{}{}", "../".repeat(from.len() - 1 - common), to[common..].join("/"))
}

/// Decodes percent-encoding; bytes that aren't UTF-8 become U+FFFD.
pub(crate) fn decoded(uri: &str) -> String {
    percent_decode_str(uri).decode_utf8_lossy().into_owned()
}

/// Encodes a JSON Pointer as the fragment of a URI, without `#`.
pub(crate) fn fragment(pointer: &str) -> String {
    utf8_percent_encode(pointer, NOT_IN_FRAGMENTS).to_string()
}

/// The characters that must be escaped in the path of a relative reference (RFC 3986, section 3.3). A colon would end a
/// scheme.
const NOT_IN_PATHS: &AsciiSet = &NOT_IN_FRAGMENTS.add(b'?').add(b':');

/// Encodes a path as a relative reference.
pub(crate) fn path(path: &str) -> String {
    utf8_percent_encode(path, NOT_IN_PATHS).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_the_same_pointer_again() {
        let pointer = "/$defs/a b%/größe/\"q\"";
        assert_eq!(fragment(pointer), "/$defs/a%20b%25/gr%C3%B6%C3%9Fe/%22q%22");
        assert_eq!(decoded(&fragment(pointer)), pointer);
        assert_eq!(decoded("100%, %zz"), "100%, %zz");
    }

    #[test]
    fn a_path_is_one_relative_reference() {
        assert_eq!(path("schemas/events/bot/reply.json"), "schemas/events/bot/reply.json");
        assert_eq!(path("a b/c:d?#ü.json"), "a%20b/c%3Ad%3F%23%C3%BC.json");
    }
}
