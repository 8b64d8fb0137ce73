//! Percent-encoding in URIs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a fragment can't have as it is: RFC 3986, section 3.5.
const NOT_IN_FRAGMENTS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/')
    .remove(b'?');

/// Returns the text behind percent-encoding; bytes that aren't UTF-8 become U+FFFD.
pub(crate) fn decoded(uri: &str) -> String {
    percent_decode_str(uri).decode_utf8_lossy().into_owned()
}

/// Encodes a JSON Pointer as the fragment of a URI, without `#`.
pub(crate) fn fragment(pointer: &str) -> String {
    utf8_percent_encode(pointer, NOT_IN_FRAGMENTS).to_string()
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
}
