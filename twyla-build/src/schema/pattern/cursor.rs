//! Reads a pattern character by character.

/// The part of a pattern that isn't read yet.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// Returns the next character.
    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    /// Skips a text if it is next, and returns whether it is.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let after = self.rest.strip_prefix(text);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Returns the text before a character, and skips both; `None` if the character doesn't follow.
    pub(super) fn until(&mut self, end: char) -> Option<&'a str> {
        let (text, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(text)
    }

    /// Reads `count` hexadecimal digits; `None` if there are fewer.
    pub(super) fn hex(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.rest = rest;
        Some(value)
    }

    /// Reads the code point after `\u`. Two halves of a surrogate pair are read as one code point.
    pub(super) fn unicode(&mut self) -> Option<u32> {
        if self.eat("{") {
            return u32::from_str_radix(self.until('}')?, 16).ok();
        }
        let first = self.hex(4)?;
        let before = self.rest;
        if (0xD800..0xDC00).contains(&first) && self.eat("\\u") {
            match self.hex(4) {
                Some(second @ 0xDC00..=0xDFFF) => return Some(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)),
                _ => self.rest = before,
            }
        }
        Some(first)
    }
}
