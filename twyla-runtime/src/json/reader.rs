//! The structure of a JSON text: where values, members and items begin and end, and how deep they are.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};

use serde_json::{Map, Value, map};

use super::Read;
use super::fault::Fault;
use super::keys::Seen;
use crate::validate::rules::{shortened, shown};

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
    pub fn object(&mut self) -> Result<Members<'a>, Fault> {
        if self.next_byte() != b'{' {
            return Err(self.mismatch("an object"));
        }
        self.enter()?;
        Ok(Members { first: true, expected: 0, seen: None })
    }

    /// Enters the array at hand.
    ///
    /// # Errors
    /// A `type` fault where it is none.
    #[inline]
    pub fn array(&mut self) -> Result<Items, Fault> {
        if self.next_byte() != b'[' {
            return Err(self.mismatch("an array"));
        }
        self.enter()?;
        Ok(Items { next: 0 })
    }

    /// The object at hand: its member of that name, where it is a string. Nothing is consumed.
    ///
    /// # Errors
    /// Where it is no object, or no JSON up to that member.
    pub fn tag(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Fault> {
        let mut ahead = self.clone();
        let mut members = ahead.object()?;
        while let Some(key) = members.key(&mut ahead)? {
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
        let mut members = self.object()?;
        while let Some(key) = members.key(self)? {
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
    fn seek_key(&mut self, first: bool) -> Result<bool, Fault> {
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

    /// Steps over the key at hand where it is written as this name is, which has no escapes.
    #[inline]
    fn take_key(&mut self, name: &str) -> bool {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        match rest.split_at_checked(name.len()) {
            Some((key, [b'"', ..])) if key == name.as_bytes() => {
                self.at += name.len() + 2;
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Fault> {
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
            Token::String => format!("the string {}", shown(&ahead.string()?)),
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

/// One object that is being read.
#[derive(Debug)]
pub struct Members<'a> {
    first: bool,
    /// Which of the declared names comes next, if they come in their order.
    expected: usize,
    /// The keys that nothing else remembers.
    seen: Option<Box<Seen<'a>>>,
}

impl<'a> Members<'a> {
    /// The next key, or none at the end of the object.
    ///
    /// # Errors
    /// Where the text is no JSON.
    #[inline]
    pub fn key(&mut self, reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, Fault> {
        let first = self.first;
        self.first = false;
        reader.next_key(first)
    }

    /// The next key as one of some names, or none at the end of the object. Where the members come in the order of the
    /// names, nearly nothing is searched.
    ///
    /// # Errors
    /// Where the text is no JSON.
    pub fn name(&mut self, reader: &mut Reader<'a>, names: &'static Names) -> Result<Option<Name<'a>>, Fault> {
        let first = self.first;
        self.first = false;
        if !reader.seek_key(first)? {
            return Ok(None);
        }
        let found = match names.names.get(self.expected) {
            Some(name) if names.plain && reader.take_key(name) => self.expected,
            _ => {
                let key = reader.text_at_quote()?;
                match names.find(&key, self.expected) {
                    Some(found) => found,
                    None => {
                        reader.colon()?;
                        return Ok(Some(Name::Unknown(key)));
                    }
                }
            }
        };
        self.expected = found + 1;
        reader.colon()?;
        Ok(Some(Name::Known(found)))
    }

    /// Reads the value of a declared member.
    ///
    /// # Errors
    /// Where the object had it already, or the value doesn't fit.
    #[inline]
    pub fn field<T: Read>(
        &mut self,
        reader: &mut Reader<'a>,
        name: &'static str,
        slot: &mut Option<T>,
    ) -> Result<(), Fault> {
        if slot.is_some() {
            return Err(field_twice(name));
        }
        match T::read(reader) {
            Ok(value) => {
                *slot = Some(value);
                Ok(())
            }
            Err(fault) => Err(fault.in_key(name)),
        }
    }

    /// Steps over a member that isn't declared.
    ///
    /// # Errors
    /// Where the object had it already, or the text is no JSON.
    pub fn unknown(&mut self, reader: &mut Reader<'a>, key: Cow<'a, str>) -> Result<(), Fault> {
        if let Err(fault) = reader.skip() {
            return Err(fault.in_key(&key));
        }
        self.seen.get_or_insert_with(|| Box::new(Seen::new())).note(key).map_err(|key| member_twice(&key))
    }

    /// The fault of a closed object that has another member than the known ones.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn refuse(&self, key: &str, known: &'static [&'static str]) -> Fault {
        let quoted: Vec<String> = known.iter().take(40).map(|name| format!("`{name}`")).collect();
        let known = match &*quoted {
            [] => "none".to_owned(),
            [one] => one.clone(),
            [one, other] => format!("{one} or {other}"),
            more => more.join(", "),
        };
        Fault::new(
            "additionalProperties",
            format!(
                "has the member {}, and no others than declared are allowed (it has {})",
                shown(key),
                shortened(&known, 200)
            ),
        )
    }

    /// Reads a member that isn't declared into the map of those.
    ///
    /// # Errors
    /// Where the object had it already, or the value doesn't fit.
    pub fn extra<M: Extra>(&mut self, reader: &mut Reader<'a>, key: Cow<'a, str>, into: &mut M) -> Result<(), Fault> {
        match M::Item::read(reader) {
            Ok(item) => into.put(key.into_owned(), item),
            Err(fault) => Err(fault.in_key(&key)),
        }
    }
}

/// The declared names of an object.
#[derive(Debug)]
pub struct Names {
    names: &'static [&'static str],
    /// Whether each is written in JSON as it is.
    plain: bool,
}

impl Names {
    /// These names, in the order in which they are written most likely.
    #[must_use]
    pub const fn new(names: &'static [&'static str]) -> Self {
        let mut plain = true;
        let mut rest = names;
        while let [name, after @ ..] = rest {
            let mut bytes = name.as_bytes();
            while let [byte, more @ ..] = bytes {
                plain &= !matches!(byte, b'"' | b'\\' | ..0x20);
                bytes = more;
            }
            rest = after;
        }
        Self { names, plain }
    }

    fn find(&self, key: &str, expected: usize) -> Option<usize> {
        let (before, after) = self.names.split_at_checked(expected)?;
        match after.iter().position(|name| *name == key) {
            Some(found) => Some(expected + found),
            None => before.iter().position(|name| *name == key),
        }
    }
}

/// A key: one of the declared [`Names`], by its index, or another.
#[derive(Debug)]
pub enum Name<'a> {
    /// The index of a declared name.
    Known(usize),
    /// Any other key.
    Unknown(Cow<'a, str>),
}

/// A map that keeps the members that aren't declared.
pub trait Extra {
    /// The type of its values.
    type Item: Read;
    /// Keeps a member.
    ///
    /// # Errors
    /// Where the map has such a key already.
    fn put(&mut self, key: String, item: Self::Item) -> Result<(), Fault>;
}

impl<T: Read> Extra for BTreeMap<String, T> {
    type Item = T;
    fn put(&mut self, key: String, item: T) -> Result<(), Fault> {
        match self.entry(key) {
            btree_map::Entry::Vacant(free) => {
                free.insert(item);
                Ok(())
            }
            btree_map::Entry::Occupied(taken) => Err(member_twice(taken.key())),
        }
    }
}

impl Extra for Map<String, Value> {
    type Item = Value;
    fn put(&mut self, key: String, item: Value) -> Result<(), Fault> {
        match self.entry(key) {
            map::Entry::Vacant(free) => {
                free.insert(item);
                Ok(())
            }
            map::Entry::Occupied(taken) => Err(member_twice(taken.key())),
        }
    }
}

/// One array that is being read.
#[derive(Debug)]
pub struct Items {
    next: usize,
}

impl Items {
    /// Reads the next item, or none at the end of the array.
    ///
    /// # Errors
    /// Where the text is no JSON, or the item doesn't fit.
    #[inline]
    pub fn next<T: Read>(&mut self, reader: &mut Reader<'_>) -> Result<Option<T>, Fault> {
        let index = self.next;
        if !reader.next_item(index == 0)? {
            return Ok(None);
        }
        self.next = index + 1;
        match T::read(reader) {
            Ok(item) => Ok(Some(item)),
            Err(fault) => Err(fault.in_item(index)),
        }
    }
}

/// The value of a member that must be there.
///
/// # Errors
/// A `required` fault where it isn't.
#[inline]
pub fn required<T>(name: &'static str, slot: Option<T>) -> Result<T, Fault> {
    match slot {
        Some(value) => Ok(value),
        None => Err(missing(name)),
    }
}

#[cold]
#[inline(never)]
fn missing(name: &str) -> Fault {
    Fault::new("required", format!("`{}` is missing", shortened(name, 200)))
}

#[cold]
#[inline(never)]
fn field_twice(name: &str) -> Fault {
    Fault::new("json", format!("has `{}` twice", shortened(name, 200)))
}

#[cold]
#[inline(never)]
pub(super) fn member_twice(key: &str) -> Fault {
    Fault::new("json", format!("has the member {} twice", shown(key)))
}
