//! The structure of a JSON text: where values, members and items begin and end, and how deep they are.

use std::borrow::Cow;

use super::encoding::other_encoding;
use super::fault::Fault;
use crate::excerpt::{quoted, shortened};

/// Arrays and objects within each other: one more is refused. It is `serde_json`'s limit, too.
const DEEPEST: u8 = 127;

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

/// Walks over a JSON text. A clone looks ahead.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: u8,
}

impl<'a> Reader<'a> {
    /// At the beginning of a text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The kind of the next value; nothing is consumed but white space.
    ///
    /// # Errors
    /// Where no value begins.
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

    /// Enters the object at hand.
    ///
    /// # Errors
    /// A `type` fault where it is none.
    #[inline]
    pub(super) fn object(&mut self) -> Result<(), Fault> {
        if self.next_byte() != b'{' {
            return Err(self.mismatch("an object"));
        }
        self.enter()
    }

    /// The object at hand: its member of that name, where it is a string. Nothing is consumed.
    ///
    /// # Errors
    /// Where it is no object, or no JSON up to that member.
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
            // keys are looked at when the object is read
            ahead.pass().map_err(|fault| fault.in_key(&key))?;
        }
        Ok(None)
    }

    /// Goes to the value of a member of the object at hand; whether it has one of that name.
    ///
    /// # Errors
    /// Where it is no object, or no JSON up to that member.
    pub fn at_member(&mut self, name: &str) -> Result<bool, Fault> {
        self.object()?;
        let mut first = true;
        while let Some(key) = self.next_key(first)? {
            first = false;
            if key == name {
                return Ok(true);
            }
            self.pass().map_err(|fault| fault.in_key(&key))?;
        }
        Ok(false)
    }

    /// The next value as it is written.
    ///
    /// # Errors
    /// Those of [`Reader::skip`].
    pub fn raw(&mut self) -> Result<&'a str, Fault> {
        self.next_byte();
        let start = self.at;
        self.skip()?;
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// Makes sure that only white space follows.
    ///
    /// # Errors
    /// Where anything else does.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.next_byte();
        if self.at < self.text.len() {
            return Err(Fault::new("json", format!("is no JSON: trailing characters{}", self.place())));
        }
        Ok(())
    }

    /// The next byte that is no white space, which is not consumed; 0, which begins nothing, at the end.
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

    /// Steps over the bracket at hand.
    #[inline]
    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        if self.depth == DEEPEST {
            return Err(self.broken("recursion limit exceeded"));
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

    /// Steps to the next key, and over its colon; at the end of the object, over that.
    pub(super) fn next_key(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, Fault> {
        if !self.seek_key(first)? {
            return Ok(None);
        }
        let key = self.text_at_quote()?;
        self.colon()?;
        Ok(Some(key))
    }

    /// Steps to the quote of the next key: whether there is one. At the end of the object, over that.
    #[inline]
    pub(super) fn seek_key(&mut self, first: bool) -> Result<bool, Fault> {
        let mut byte = self.next_byte();
        if byte == b'}' {
            self.leave();
            return Ok(false);
        }
        if !first {
            if byte != b',' {
                return Err(self.wanted("an object", "expected `,` or `}`"));
            }
            self.at += 1;
            byte = self.next_byte();
        }
        if byte == b'"' { Ok(true) } else { Err(self.no_key(byte)) }
    }

    #[cold]
    fn no_key(&self, byte: u8) -> Fault {
        if byte == b'}' { self.broken("trailing comma") } else { self.wanted("an object", "key must be a string") }
    }

    /// Steps over the key at hand and its colon where it is written as this name is, which has no escapes, and has no
    /// white space behind it.
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
            return Err(self.wanted("an object", "expected `:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// Steps to the next item: whether there is one. At the end of the array, over that.
    pub(super) fn next_item(&mut self, first: bool) -> Result<bool, Fault> {
        let byte = self.next_byte();
        if byte == b']' {
            self.leave();
            return Ok(false);
        }
        if !first {
            if byte != b',' {
                return Err(self.wanted("a list", "expected `,` or `]`"));
            }
            self.at += 1;
            if self.next_byte() == b']' {
                return Err(self.broken("trailing comma"));
            }
        }
        Ok(true)
    }

    /// The text is no JSON at this place.
    #[cold]
    #[inline(never)]
    pub(super) fn broken(&self, what: &str) -> Fault {
        if let Some(encoding) = other_encoding(self.text.as_bytes()) {
            return Fault::new("json", encoding.to_owned());
        }
        Fault::new("json", format!("is no JSON that can be read: {what}{}", self.place()))
    }

    /// The text is no JSON at this place, or ends there.
    #[cold]
    #[inline(never)]
    pub(super) fn wanted(&self, within: &str, what: &str) -> Fault {
        if self.at < self.text.len() { self.broken(what) } else { self.broken(&format!("EOF while parsing {within}")) }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn no_value(&self) -> Fault {
        self.wanted("a value", "expected value")
    }

    #[cold]
    fn place(&self) -> String {
        let before = self.text.as_bytes().get(..self.at).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        format!(" at line {line} column {column}")
    }

    /// A `type` fault at the value at hand, which is something else than `wanted`.
    #[cold]
    #[inline(never)]
    pub fn mismatch(&mut self, wanted: &str) -> Fault {
        self.found().map_or_else(|fault| fault, |found| Fault::new("type", format!("is {found}, not {wanted}")))
    }

    /// The value at hand in the words of a message.
    fn found(&mut self) -> Result<String, Fault> {
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
