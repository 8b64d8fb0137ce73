//! Iteration over the members of an object: matches each key against the declared names, and handles undeclared ones.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};

use serde_json::{Map, Value, map};
use twyla_contract::text::shortened;
use twyla_contract::unknown_field;

use super::fault::Fault;
use super::keys::ObjectKeys;
use super::read::Read;
use super::reader::Reader;
use super::words::constant;
use crate::excerpt::quoted;

/// The declared member names of an object.
#[derive(Debug)]
pub struct Names {
    names: &'static [&'static str],
    /// Whether each name needs no escapes in JSON.
    plain: bool,
}

impl Names {
    /// Creates the list of names, in the order in which most writers emit them.
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

/// The state of reading one object.
#[derive(Debug)]
pub struct Members<'a> {
    first: bool,
    /// The position of the object in the text.
    start: usize,
    names: &'static Names,
    /// The index of the declared name that comes next if the members are in order.
    expected: usize,
    /// The current key if it isn't declared.
    other: Cow<'a, str>,
    /// The undeclared keys that are not kept in a map.
    seen: Option<Box<ObjectKeys<'a>>>,
}

impl<'a> Reader<'a> {
    /// Enters the object at the current position, which has these declared members.
    ///
    /// # Errors
    /// A `type` fault if the value is not an object.
    pub fn members(&mut self, names: &'static Names) -> Result<Members<'a>, Fault> {
        let start = self.at;
        self.object()?;
        Ok(Members { first: true, start, names, expected: 0, other: Cow::Borrowed(""), seen: None })
    }
}

impl<'a> Members<'a> {
    /// Reads the next key. Returns the index of its declared name, `usize::MAX` for an undeclared key, or `None` at the
    /// end of the object. Takes a fast path while the members come in the declared order.
    ///
    /// # Errors
    /// The text is not valid JSON.
    pub fn name(&mut self, reader: &mut Reader<'a>) -> Result<Option<usize>, Fault> {
        let first = self.first;
        self.first = false;
        if !reader.seek_key(first)? {
            return Ok(None);
        }
        let expected = self.expected;
        if let Some(name) = self.names.names.get(expected)
            && self.names.plain
            && reader.take_key(name)
        {
            self.expected = expected + 1;
            return Ok(Some(expected));
        }
        let key = reader.text_at_quote()?;
        reader.colon()?;
        if let Some(found) = self.names.find(&key, expected) {
            self.expected = found + 1;
            return Ok(Some(found));
        }
        self.other = key;
        Ok(Some(usize::MAX))
    }

    /// Reads the value of the current declared member into its slot.
    ///
    /// # Errors
    /// The member is a duplicate, or its value doesn't fit.
    #[inline]
    pub fn field<T: Read>(&mut self, reader: &mut Reader<'a>, slot: &mut Option<T>) -> Result<(), Fault> {
        if slot.is_some() {
            return Err(self.twice());
        }
        match T::read(reader) {
            Ok(value) => {
                *slot = Some(value);
                Ok(())
            }
            Err(fault) => Err(fault.in_key(self.declared())),
        }
    }

    /// Reads the value of the current declared member, which is always the same word.
    ///
    /// # Errors
    /// The member is a duplicate, or its value is not the word.
    #[inline]
    pub fn constant(
        &mut self,
        reader: &mut Reader<'a>,
        slot: &mut Option<()>,
        word: &'static str,
    ) -> Result<(), Fault> {
        if slot.is_some() {
            return Err(self.twice());
        }
        *slot = Some(constant(reader, word).map_err(|fault| fault.in_key(self.declared()))?);
        Ok(())
    }

    /// Returns the current declared name.
    pub(super) fn declared(&self) -> &'static str {
        self.names.names.get(self.expected.wrapping_sub(1)).copied().unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    pub(super) fn twice(&self) -> Fault {
        member_twice(self.declared())
    }

    /// Skips the current undeclared member.
    ///
    /// # Errors
    /// The member is a duplicate, or the text is not valid JSON.
    pub fn unknown(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let key = std::mem::take(&mut self.other);
        if let Err(fault) = reader.skip() {
            return Err(fault.in_key(&key));
        }
        self.seen.get_or_insert_with(|| Box::new(ObjectKeys::new())).note(key).map_err(|key| member_twice(&key))
    }

    /// Reads the current undeclared member into a map.
    ///
    /// # Errors
    /// The member is a duplicate, or its value doesn't fit.
    pub fn extra<M: Extra>(&mut self, reader: &mut Reader<'a>, into: &mut M) -> Result<(), Fault> {
        keep(reader, std::mem::take(&mut self.other), into)
    }

    /// Returns the key of the current undeclared member.
    pub(super) fn take_other(&mut self) -> Cow<'a, str> {
        std::mem::take(&mut self.other)
    }

    /// Returns the fault of an object that has been read and lacks one of these members: the first of those that it lacks.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn missing(&self, reader: &Reader<'a>, required: &[&'static str]) -> Fault {
        let mut lacking = required.to_vec();
        let (mut object, mut first) = (Reader::new(reader.text.get(self.start..).unwrap_or_default()), true);
        let mut is_read = object.object().is_ok();
        while is_read && let Ok(Some(key)) = object.next_key(first) {
            first = false;
            lacking.retain(|name| *name != key);
            is_read = object.skip_unchecked().is_ok();
        }
        missing(lacking.first().copied().unwrap_or_default())
    }

    /// Returns the fault of a closed object that has an undeclared member.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn refuse(&self) -> Fault {
        Fault::new("additionalProperties", unknown_field::unknown(&quoted(&self.other), self.names.names))
    }
}

/// Reads a value into a map.
#[inline]
pub(super) fn keep<M: Extra>(reader: &mut Reader<'_>, key: Cow<'_, str>, into: &mut M) -> Result<(), Fault> {
    match M::Item::read(reader) {
        Ok(item) => into.put(key.into_owned(), item),
        Err(fault) => Err(fault.in_key(&key)),
    }
}

/// A map that keeps undeclared members.
pub trait Extra {
    /// The type of the map's values.
    type Item: Read;
    /// Adds a member.
    ///
    /// # Errors
    /// The map already has the key.
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

/// Reads an object whose only member is the declared one. Skips the member's value, which has already selected the
/// variant.
///
/// # Errors
/// The text is not such an object: it has another member, or the declared one twice.
pub fn nothing_but(reader: &mut Reader<'_>, names: &'static Names) -> Result<(), Fault> {
    let mut members = reader.members(names)?;
    let mut seen = false;
    while let Some(name) = members.name(reader)? {
        if name >= names.names.len() {
            return Err(members.refuse());
        }
        if std::mem::replace(&mut seen, true) {
            return Err(members.twice());
        }
        reader.skip()?;
    }
    Ok(())
}

/// Returns the fault of an object without a required member.
#[cold]
#[inline(never)]
pub(super) fn missing(name: &str) -> Fault {
    Fault::new("required", format!("`{}` is missing", shortened(name, 200)))
}

#[cold]
#[inline(never)]
pub(super) fn member_twice(key: &str) -> Fault {
    Fault::new("json", format!("the member {} appears twice", quoted(key)))
}
