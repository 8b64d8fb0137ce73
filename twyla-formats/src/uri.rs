//! URIs (RFC 3986) and IRIs (RFC 3987), absolute or relative, checked in one pass from left to right.

use crate::net;

/// The classes of a byte, one bit each, so that many bytes can be tested at once.
const NAME: u8 = 1;
const USER: u8 = 2;
/// A byte of `segment-nz-nc` (RFC 3986, section 3.3): no colon, because that would end a scheme.
const FIRST: u8 = 4;
const PATH: u8 = 8;
const QUERY: u8 = 16;
const SCHEME: u8 = 32;

const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let all = NAME | USER | FIRST | PATH | QUERY;
        table[byte] = match byte as u8 {
            // unreserved and sub-delims
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'+' => all | SCHEME,
            b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b',' | b';' | b'=' => all,
            b':' => USER | PATH | QUERY,
            b'@' => FIRST | PATH | QUERY,
            b'/' => PATH | QUERY,
            b'?' => QUERY,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Checks a URI with a scheme.
pub(crate) fn uri(text: &str, international: bool) -> bool {
    scheme(text).is_some_and(|rest| Reader { rest, international }.after_scheme())
}

/// Checks a URI reference, with or without a scheme.
pub(crate) fn reference(text: &str, international: bool) -> bool {
    if let Some(rest) = scheme(text) {
        return Reader { rest, international }.after_scheme();
    }
    let mut reader = Reader { rest: text, international };
    if text.starts_with("//") {
        return reader.after_scheme();
    }
    reader.skip(FIRST) && reader.next() != Some(b':') && reader.after_authority()
}

/// Returns the rest after a scheme and its colon.
#[inline]
fn scheme(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    if !bytes.first()?.is_ascii_alphabetic() {
        return None;
    }
    let end = bytes.iter().position(|byte| CLASSES[usize::from(*byte)] & SCHEME == 0)?;
    text.get(end..)?.strip_prefix(':')
}

/// The rest of the text. Each method returns whether what it has read is valid.
struct Reader<'a> {
    rest: &'a str,
    international: bool,
}

impl<'a> Reader<'a> {
    #[inline]
    fn after_scheme(mut self) -> bool {
        if let Some(rest) = self.rest.strip_prefix("//") {
            self.rest = rest;
            if !self.authority() || !matches!(self.next(), None | Some(b'/' | b'?' | b'#')) {
                return false;
            }
        }
        self.after_authority()
    }

    /// Checks `path [ "?" query ] [ "#" fragment ]` to the end.
    #[inline]
    fn after_authority(mut self) -> bool {
        self.skip(PATH)
            && (!self.take(b'?') || self.query())
            && (!self.take(b'#') || self.skip(QUERY))
            && self.rest.is_empty()
    }

    /// Checks `[ userinfo "@" ] host [ ":" port ]`.
    #[inline]
    fn authority(&mut self) -> bool {
        let start = self.rest;
        if !self.skip(NAME) {
            return false;
        }
        // the fast path: a name and nothing else
        matches!(self.next(), None | Some(b'/' | b'?' | b'#')) || self.whole_authority(start)
    }

    fn whole_authority(&mut self, start: &'a str) -> bool {
        self.rest = start;
        if !self.skip(USER) {
            return false;
        }
        if !self.take(b'@') {
            self.rest = start;
        }
        if self.take(b'[') {
            let Some((address, rest)) = self.rest.split_once(']') else { return false };
            if net::ipv6(address).is_none() && !future_address(address) {
                return false;
            }
            self.rest = rest;
        } else if !self.skip(NAME) {
            return false;
        }
        if self.take(b':') {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        true
    }

    /// Checks a query, which may have private characters too.
    fn query(&mut self) -> bool {
        loop {
            if !self.skip(QUERY) {
                return false;
            }
            match self.rest.chars().next() {
                Some(c) if self.international && is_private(c) => self.pass(c.len_utf8()),
                _ => return true,
            }
        }
    }

    /// Skips characters of a class, percent-encoded characters, and characters beyond ASCII if the text may be
    /// international. Returns false at a `%` without its two digits, which is never valid.
    #[inline]
    fn skip(&mut self, class: u8) -> bool {
        loop {
            let bytes = self.rest.as_bytes();
            let mut rest = bytes;
            while let Some((eight, after)) = rest.split_first_chunk::<8>()
                && eight.iter().fold(class, |all, byte| all & CLASSES[usize::from(*byte)]) != 0
            {
                rest = after;
            }
            while let [byte, after @ ..] = rest
                && CLASSES[usize::from(*byte)] & class != 0
            {
                rest = after;
            }
            self.pass(bytes.len() - rest.len());
            match rest {
                [b'%', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => self.pass(3),
                [b'%', ..] => return false,
                [0x80..=0xFF, ..] if self.international => match self.rest.chars().next() {
                    Some(c) if is_ucs(c) => self.pass(c.len_utf8()),
                    _ => return true,
                },
                _ => return true,
            }
        }
    }

    #[inline]
    fn next(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Consumes a byte if it is next.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let there = self.next() == Some(byte);
        if there {
            self.pass(1);
        }
        there
    }

    #[inline]
    fn pass(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// Checks an `IPvFuture`.
fn future_address(text: &str) -> bool {
    let Some((version, address)) = text.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    let hex = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex && !address.is_empty() && address.bytes().all(|byte| CLASSES[usize::from(byte)] & USER != 0)
}

/// Returns whether a character is in `ucschar` of RFC 3987.
fn is_ucs(c: char) -> bool {
    match u32::from(c) {
        0xA0..=0xD7FF | 0xF900..=0xFDCF | 0xFDF0..=0xFFEF | 0xE1000..=0xEFFFD => true,
        0x10000..=0xDFFFF => u32::from(c) & 0xFFFF < 0xFFFE,
        _ => false,
    }
}

/// Returns whether a character is in `iprivate` of RFC 3987.
fn is_private(c: char) -> bool {
    matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..=0xF_FFFD | 0x10_0000..=0x10_FFFD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_the_parts() {
        let yes = [
            "a:",
            "a:b:c",
            "a+-.1:x",
            "http://",
            "http://:",
            "http://h:",
            "http://h:80?#",
            "http://u:p@h:1/a:b@c?d/e?f#g?h/i",
            "http://@h",
            "http://h:1@",
            "http://[::1]",
            "http://[::1]:80/",
            "http://u@[v1.a:b]#",
            "http://[Vf.a]?",
            "a:%20//%aF",
            "http://h%41/",
            "a:?%00#%00",
            "http://12345678",
            "http://1234567/",
            "http://123456789@h",
            "a:///b",
            "a:/b//c",
        ];
        let no = [
            "",
            ":",
            "1a:",
            "a",
            "a_:b",
            "http://h:8a",
            "http://[::1]80",
            "http://[::1",
            "http://[::1]@h",
            "http://u@v@h",
            "http://u@h:1:2",
            "a:#b#c",
            "a:%",
            "a:%2",
            "a:%2g",
            "a:%g2",
            "http://%2/",
            "http://h[",
            "a:[",
            "a: ",
            "a:ä",
            "http://[v.a]",
            "http://[v1.]",
            "http://[v1.%41]",
            "a:\\b",
            "a:12345678|",
            "http://[::1/]",
        ];
        for text in yes {
            assert!(uri(text, false) && reference(text, false) && uri(text, true), "{text}");
        }
        for text in no {
            assert!(!uri(text, false), "{text}");
        }
        for text in
            ["", "a", "a/b:c", "a//b:c", "./a:b", "//h:1/a", "///a:b", "?a:b", "#a:b", "a@b", "%41", "a_/:", "/a:b"]
        {
            assert!(reference(text, false) && !uri(text, false), "{text}");
        }
        for text in ["1:a", "a_:b", ":", "%41:", "//h:a", "a%", "a b", "#a#", "a@b:c"] {
            assert!(!reference(text, false) && !reference(text, true), "{text}");
        }
    }

    #[test]
    fn goes_beyond_ascii_where_that_may_be() {
        for text in ["a:ä", "a://ä@ö:1/ü?ä#ö", "a:?\u{e000}ä\u{e001}", "a:12345678ä12345678", "ä", "ä/:"] {
            assert!(reference(text, true) && !reference(text, false), "{text}");
        }
        for text in ["ä:b", "a://h:ä", "a:\u{e000}", "a:#\u{e000}", "a://\u{e000}", "a:\u{9f}", "a:\u{fffe}", "a://[ä]"]
        {
            assert!(!reference(text, true), "{text}");
        }
    }
}
