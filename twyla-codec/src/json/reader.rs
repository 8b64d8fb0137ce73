//! The structure of a JSON text: where values, members and items begin and end, and how deep they nest.

use std::borrow::Cow;

use twyla_contract::text::shortened;

use super::encoding::other_encoding;
use super::fault::Fault;
use crate::excerpt::quoted;

/// The maximum depth of nested arrays and objects, the same as `serde_json`'s.
const DEEPEST: u8 = 127;

/// The limit of bytes that trial readers of union variants may read, as a multiple of the text's length. A union with more
/// variants than that raises the limit to the number of its variants.
const MOST_TRIES: usize = 16;

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number, integer or not.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A cursor over a JSON text. Clone it to look ahead.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: u8,
    /// The number of bytes that trial readers of variants have read.
    tried: u32,
    /// Whether a number beyond 2^53 that an `f64` has with other digits is refused.
    pub(super) exactly: bool,
    /// Whether a number beyond 2^53 was read that is written with other digits.
    pub(crate) has_other_notation: bool,
}

impl<'a> Reader<'a> {
    /// Creates a reader at the beginning of a text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, tried: 0, exactly: false, has_other_notation: false }
    }

    /// Returns the kind of the next value; consumes only white space.
    ///
    /// # Errors
    /// No value begins here.
    #[inline]
    pub fn peek(&mut self) -> Result<Token, Fault> {
        Ok(match self.next_byte() {
            b'"' => Token::String,
            b'0'..=b'9' | b'-' => Token::Number,
            b'{' => Token::Object,
            b'[' => Token::Array,
            b't' | b'f' => Token::Boolean,
            b'n' => Token::Null,
            _ => return Err(self.no_value()),
        })
    }

    /// Enters the object at the current position.
    ///
    /// # Errors
    /// A `type` fault if the value is not an object.
    #[inline]
    pub(super) fn object(&mut self) -> Result<(), Fault> {
        if self.next_byte() != b'{' {
            return Err(self.mismatch("an object"));
        }
        self.enter()
    }

    /// Returns the member `name` of the object at the current position if it is a string. Consumes nothing.
    ///
    /// # Errors
    /// The value is not an object, or the text up to that member is not valid JSON.
    pub fn tag(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Fault> {
        let mut ahead = self.clone();
        ahead.object()?;
        let mut first = true;
        while let Some(key) = ahead.next_key(first)? {
            first = false;
            if key == name {
                return match ahead.peek()? {
                    Token::String => ahead.string().map(Some),
                    _ => Ok(None),
                };
            }
            // duplicate keys are found when the object is read
            ahead.skip_unchecked().map_err(|fault| fault.in_key(&key))?;
        }
        Ok(None)
    }

    /// Moves to the value of the member `name` of the object at the current position; returns whether the member exists.
    ///
    /// # Errors
    /// The value is not an object, or the text up to that member is not valid JSON.
    pub fn at_member(&mut self, name: &str) -> Result<bool, Fault> {
        self.object()?;
        let mut first = true;
        while let Some(key) = self.next_key(first)? {
            first = false;
            if key == name {
                return Ok(true);
            }
            self.skip_unchecked().map_err(|fault| fault.in_key(&key))?;
        }
        Ok(false)
    }

    /// Counts the bytes that a trial reader for one of `variants` variants has read from the current position on.
    ///
    /// # Errors
    /// A `oneOf` fault if trial readers have read too many bytes, as in unions nested in unions.
    pub(crate) fn count_try(&mut self, ahead: &Self, variants: usize) -> Result<(), Fault> {
        let bytes = u32::try_from(ahead.at.saturating_sub(self.at)).unwrap_or(u32::MAX);
        self.tried = ahead.tried.saturating_add(bytes);
        let most = self.text.len().saturating_mul(MOST_TRIES.max(variants));
        if usize::try_from(self.tried).is_ok_and(|tried| tried > most) {
            return Err(Fault::new(
                "oneOf",
                "reading takes too long: too many nested objects have the members of several alternatives".to_owned(),
            ));
        }
        Ok(())
    }

    /// Moves to the position of another reader of the same text.
    pub(crate) fn move_to(&mut self, ahead: &Self) {
        (self.at, self.depth) = (ahead.at, ahead.depth);
        self.has_other_notation |= ahead.has_other_notation;
    }

    /// Returns the text of the next value.
    ///
    /// # Errors
    /// The errors of [`Reader::skip`].
    pub fn raw(&mut self) -> Result<&'a str, Fault> {
        self.next_byte();
        let start = self.at;
        self.skip()?;
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// Checks that only white space follows.
    ///
    /// # Errors
    /// Anything else follows.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.next_byte();
        if self.at < self.text.len() {
            return Err(Fault::new("json", format!("the text is not valid JSON: trailing characters{}", self.place())));
        }
        Ok(())
    }

    /// Returns the next byte that is not white space without consuming it; 0, which begins no value, at the end.
    #[inline]
    pub(super) fn next_byte(&mut self) -> u8 {
        let byte = self.byte();
        if byte > b' ' { byte } else { self.after_white_space() }
    }

    fn after_white_space(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
        self.byte()
    }

    #[inline]
    pub(super) fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Consumes an opening bracket.
    #[inline]
    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        if self.depth == DEEPEST {
            return Err(self.syntax_fault("recursion limit exceeded"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.at += 1;
    }

    /// Reads the next key and consumes its colon. Consumes the closing brace at the end of the object.
    pub(super) fn next_key(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, Fault> {
        if !self.seek_key(first)? {
            return Ok(None);
        }
        let key = self.text_at_quote()?;
        self.colon()?;
        Ok(Some(key))
    }

    /// Moves to the quote of the next key; returns whether the object has another key. Consumes the closing brace at the end
    /// of the object.
    #[inline]
    pub(super) fn seek_key(&mut self, first: bool) -> Result<bool, Fault> {
        let mut byte = self.next_byte();
        if byte == b'}' {
            self.leave();
            return Ok(false);
        }
        if !first {
            if byte != b',' {
                return Err(self.expected_fault("an object", "expected `,` or `}`"));
            }
            self.at += 1;
            byte = self.next_byte();
        }
        if byte == b'"' { Ok(true) } else { Err(self.no_key(byte)) }
    }

    #[cold]
    fn no_key(&self, byte: u8) -> Fault {
        if byte == b'}' {
            self.syntax_fault("trailing comma")
        } else {
            self.expected_fault("an object", "key must be a string")
        }
    }

    /// Consumes the next key and its colon if it is written exactly as `name`, without escapes and without white space
    /// before the colon.
    #[inline]
    pub(super) fn take_key(&mut self, name: &str) -> bool {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        match rest.split_at_checked(name.len()) {
            Some((key, [b'"', b':', ..])) if key == name.as_bytes() => {
                self.at += name.len() + 3;
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), Fault> {
        if self.next_byte() != b':' {
            return Err(self.expected_fault("an object", "expected `:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// Moves to the next item; returns whether the array has another item. Consumes the closing bracket at the end of the
    /// array.
    pub(super) fn next_item(&mut self, first: bool) -> Result<bool, Fault> {
        let byte = self.next_byte();
        if byte == b']' {
            self.leave();
            return Ok(false);
        }
        if !first {
            if byte != b',' {
                return Err(self.expected_fault("a list", "expected `,` or `]`"));
            }
            self.at += 1;
            if self.next_byte() == b']' {
                return Err(self.syntax_fault("trailing comma"));
            }
        }
        Ok(true)
    }

    /// Returns the fault of a text that is not valid JSON at this position.
    #[cold]
    #[inline(never)]
    pub(super) fn syntax_fault(&self, what: &str) -> Fault {
        if let Some(encoding) = other_encoding(self.text.as_bytes()) {
            return Fault::new("json", format!("the text {encoding}"));
        }
        Fault::new("json", format!("the text is not valid JSON: {what}{}", self.place()))
    }

    /// Returns the fault of a text that is not valid JSON at this position, or that ends there.
    #[cold]
    #[inline(never)]
    pub(super) fn expected_fault(&self, within: &str, what: &str) -> Fault {
        if self.at < self.text.len() {
            self.syntax_fault(what)
        } else {
            self.syntax_fault(&format!("EOF while parsing {within}"))
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn no_value(&self) -> Fault {
        self.expected_fault("a value", "expected value")
    }

    #[cold]
    fn place(&self) -> String {
        let before = self.text.as_bytes().get(..self.at).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        format!(" at line {line} column {column}")
    }

    /// Returns the `type` fault of the next value; `wanted` describes the expected value.
    #[cold]
    #[inline(never)]
    pub fn mismatch(&mut self, wanted: &str) -> Fault {
        self.describe()
            .map_or_else(|fault| fault, |found| Fault::new("type", format!("expected {wanted}, found {found}")))
    }

    /// Describes the next value for a message.
    fn describe(&mut self) -> Result<String, Fault> {
        let mut ahead = self.clone();
        Ok(match ahead.peek()? {
            Token::Array => "an array".to_owned(),
            Token::Object => "an object".to_owned(),
            Token::String => format!("the string {}", quoted(&ahead.string()?)),
            Token::Null => ahead.raw()?.to_owned(),
            Token::Boolean => format!("the boolean `{}`", ahead.raw()?),
            Token::Number => {
                let text = ahead.raw()?;
                let kind = if text.contains(['.', 'e', 'E']) { "number" } else { "integer" };
                format!("the {kind} `{}`", shortened(text, 60))
            }
        })
    }
}
