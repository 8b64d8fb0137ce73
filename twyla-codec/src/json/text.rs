//! Strings: finds their end many bytes at a time, and decodes escapes.

use std::borrow::Cow;

use super::fault::Fault;
use super::reader::Reader;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each byte that must be escaped in a string: quotes, backslashes, control characters. Only the lowest
/// set bit is reliable; those above it may be false positives.
const fn marks(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    ((quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | control) & HIGHS
}

/// Returns the length of the prefix that needs no escapes.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut len = 0;
    while let Some((block, after)) = rest.split_first_chunk() {
        if let Some(at) = special(block) {
            return len + at;
        }
        len += 16;
        rest = after;
    }
    // the remaining bytes, together with plain ones before them
    if let Some(block) = bytes.last_chunk() {
        return special(block).map_or(bytes.len(), |at| bytes.len() - 16 + at);
    }
    short(bytes)
}

/// Returns the index of the first byte that must be escaped.
#[inline]
fn special(block: &[u8; 16]) -> Option<usize> {
    // compiles to one comparison of sixteen bytes on machines with SIMD
    let mut marks = [0; 16];
    for (mark, byte) in marks.iter_mut().zip(block) {
        *mark = if (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20) { 0xff } else { 0 };
    }
    let marks = u128::from_le_bytes(marks);
    if marks == 0 { None } else { Some((marks.trailing_zeros() / 8) as usize) }
}

/// Returns the length of the prefix that needs no escapes, for fewer than sixteen bytes.
#[inline]
fn short(bytes: &[u8]) -> usize {
    let first = |marks: u64| (marks.trailing_zeros() / 8) as usize;
    if let (Some(head), Some(tail)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (head, tail) = (marks(u64::from_le_bytes(*head)), marks(u64::from_le_bytes(*tail)));
        return match (head, tail) {
            (0, 0) => bytes.len(),
            (0, tail) => bytes.len() - 8 + first(tail),
            (head, _) => first(head),
        };
    }
    bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..0x20)).count()
}

impl<'a> Reader<'a> {
    /// Reads the next value as a string, borrowed if it has no escapes.
    ///
    /// # Errors
    /// A `type` fault if the value is not a string.
    pub fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.next_byte() != b'"' {
            return Err(self.mismatch("a string"));
        }
        self.text_at_quote()
    }

    /// Reads the string whose opening quote is next.
    #[inline]
    pub(super) fn text_at_quote(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at + 1;
        let end = start + plain(self.text.as_bytes().get(start..).unwrap_or_default());
        if self.text.as_bytes().get(end) == Some(&b'"')
            && let Some(text) = self.text.get(start..end)
        {
            self.at = end + 1;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped(start, end).map(Cow::Owned)
    }

    /// Reads a string with escapes; `end` is at the first byte that is not plain.
    #[inline(never)]
    fn escaped(&mut self, start: usize, end: usize) -> Result<String, Fault> {
        let bytes = self.text.as_bytes();
        let (mut start, mut end) = (start, end);
        let mut out = String::with_capacity(self.decoded_len(start, end));
        loop {
            out.push_str(self.text.get(start..end).unwrap_or_default());
            self.at = end;
            match bytes.get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    // escapes often follow each other, e.g. in text of a script other than Latin
                    while bytes.get(self.at) == Some(&b'\\') {
                        out.push(self.escape()?);
                    }
                }
                Some(_) => {
                    return Err(self.syntax_fault("control character (\\u0000-\\u001F) found while parsing a string"));
                }
                None => return Err(self.syntax_fault("EOF while parsing a string")),
            }
            start = self.at;
            end = start + plain(bytes.get(start..).unwrap_or_default());
        }
    }

    /// Estimates the length of a string after decoding; its first escape is at `end`.
    fn decoded_len(&self, start: usize, end: usize) -> usize {
        let rest = self.text.get(end..).unwrap_or_default();
        // the distance to the next quote is a good estimate, even if that quote is escaped
        let escaped = rest.find('"').unwrap_or(0);
        end - start + if rest.starts_with("\\u") { escaped / 2 } else { escaped }
    }

    /// Reads one escape, whose backslash is next.
    #[inline]
    fn escape(&mut self) -> Result<char, Fault> {
        let escape = self.text.as_bytes().get(self.at + 1).copied();
        self.at += 2;
        Ok(match escape {
            Some(b'u') => return self.unicode_escape(),
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(_) => {
                self.at -= 1;
                return Err(self.syntax_fault("invalid escape"));
            }
            None => return Err(self.syntax_fault("EOF while parsing a string")),
        })
    }

    /// Reads the digits after `\u`, and the second half of a surrogate pair.
    #[inline]
    fn unicode_escape(&mut self) -> Result<char, Fault> {
        let first = self.hex()?;
        match char::from_u32(first) {
            Some(c) => Ok(c),
            None => self.second_half(first),
        }
    }

    fn second_half(&mut self, first: u32) -> Result<char, Fault> {
        if first < 0xDC00 && self.text.as_bytes().get(self.at..self.at + 2) == Some(br"\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xDC00..0xE000).contains(&second) {
                let pair = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                if let Some(c) = char::from_u32(pair) {
                    return Ok(c);
                }
            }
        }
        Err(self.syntax_fault("lone surrogate in an escape, which is not a character"))
    }

    #[inline]
    fn hex(&mut self) -> Result<u32, Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if let Some(digits) = rest.first_chunk::<4>() {
            let value = digits.iter().fold(0, |value, digit| value << 4 | HEX[usize::from(*digit)]);
            // an invalid digit sets bits above the bits of four valid digits
            if value <= 0xFFFF {
                self.at += 4;
                return Ok(value);
            }
        }
        self.at += rest.iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
        Err(self.syntax_fault("invalid escape"))
    }
}

/// The values of hexadecimal digits. The value of any other byte is above the largest value of four digits.
const HEX: [u32; 256] = {
    let mut values = [1 << 16; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u32;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u32;
        digit += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::super::{from_str, write_str};
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        from_str::<String>(text).map_err(|fault| fault.into_violation().to_string())
    }

    #[test]
    fn the_end_of_a_run_is_found_at_each_place() {
        for len in 0..70 {
            let bytes = vec![b'x'; len];
            assert_eq!(plain(&bytes), len);
            for special in 0..=255u8 {
                let ends = special < 0x20 || special == b'"' || special == b'\\';
                for at in 0..len {
                    let mut bytes = bytes.clone();
                    bytes[at] = special;
                    assert_eq!(plain(&bytes), if ends { at } else { len }, "{special} at {at} of {len}");
                    // the text after the end doesn't matter
                    if ends && at + 1 < len {
                        bytes[at + 1] = special.wrapping_add(1);
                        assert_eq!(plain(&bytes), at, "{special} at {at} of {len}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_character_comes_back_as_it_was() {
        let every: Vec<char> = ('\0'..=char::MAX).collect();
        for chunk in every.chunks(61) {
            let text: String = chunk.iter().collect();
            let mut out = Vec::new();
            write_str(&text, &mut out);
            assert_eq!(out, serde_json::to_vec(&text).unwrap());
            assert_eq!(read(std::str::from_utf8(&out).unwrap()), Ok(text.clone()));
            let mut escaped = String::from("\"");
            for unit in text.encode_utf16() {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
            escaped.push('"');
            assert_eq!(read(&escaped), Ok(text.clone()));
            assert_eq!(read(&escaped.to_uppercase().replace("\\U", "\\u")), Ok(text));
        }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(read(r#""\"\\\/\b\f\n\r\tx""#), Ok("\"\\/\u{8}\u{c}\n\r\tx".to_owned()));
        assert_eq!(read(r#""a\u00e9b\uD83D\ude00""#), Ok("a\u{e9}b\u{1f600}".to_owned()));
        for wrong in [
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\u+123""#,
            r#""\ud800""#,
            r#""\ud800x""#,
            r#""\ud800\n""#,
            r#""\ud800\ud800""#,
            r#""\ud800\ue000""#,
            r#""\udc00""#,
            r#""\udc00\ud800""#,
            "\"\n\"",
            "\"\u{1f}\"",
            "\"",
            "\"\\",
            "\"\\\"",
            "\"\\u",
            "\"\\u1\u{e9}",
            "\"\\\u{e9}\"",
        ] {
            assert!(serde_json::from_str::<String>(wrong).is_err());
            assert!(read(wrong).is_err_and(|said| said.contains("is not valid JSON")), "{wrong}");
        }
        assert!(read("\"abc").is_err_and(|said| said.contains("EOF")));
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(Reader::new(" \"plain\"").string(), Ok(Cow::Borrowed("plain"))));
        assert!(matches!(Reader::new("\"pl\\u0061in\"").string(), Ok(Cow::Owned(text)) if text == "plain"));
    }
}
