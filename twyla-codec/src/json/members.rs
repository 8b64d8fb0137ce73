//! The members of an object: which of the declared ones is next, and what becomes of the others.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};

use serde_json::{Map, Value, map};

use super::fault::Fault;
use super::keys::Seen;
use super::read::Read;
use super::reader::Reader;
use crate::excerpt::{quoted, shortened};

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

/// One object that is being read.
#[derive(Debug)]
pub struct Members<'a> {
    first: bool,
    names: &'static Names,
    /// Which of the declared names comes next, if they come in their order.
    expected: usize,
    /// The key at hand, where it isn't declared.
    other: Cow<'a, str>,
    /// The keys that nothing else remembers.
    seen: Option<Box<Seen<'a>>>,
}

impl<'a> Reader<'a> {
    /// Enters the object at hand, which has these members, and maybe others.
    ///
    /// # Errors
    /// A `type` fault where it is none.
    pub fn members(&mut self, names: &'static Names) -> Result<Members<'a>, Fault> {
        self.object()?;
        Ok(Members { first: true, names, expected: 0, other: Cow::Borrowed(""), seen: None })
    }
}

impl<'a> Members<'a> {
    /// The next key as the index of its name, or none at the end of the object; an index that no name has is another
    /// key. Where the members come in the order of the names, nearly nothing is searched.
    ///
    /// # Errors
    /// Where the text is no JSON.
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

    /// Reads the value of the declared member at hand.
    ///
    /// # Errors
    /// Where the object had it already, or the value doesn't fit.
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

    /// The declared name at hand.
    fn declared(&self) -> &'static str {
        self.names.names.get(self.expected.wrapping_sub(1)).copied().unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn twice(&self) -> Fault {
        Fault::new("json", format!("has `{}` twice", shortened(self.declared(), 200)))
    }

    /// Steps over the member at hand, which isn't declared.
    ///
    /// # Errors
    /// Where the object had it already, or the text is no JSON.
    pub fn unknown(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let key = std::mem::take(&mut self.other);
        if let Err(fault) = reader.skip() {
            return Err(fault.in_key(&key));
        }
        self.seen.get_or_insert_with(|| Box::new(Seen::new())).note(key).map_err(|key| member_twice(&key))
    }

    /// Reads the member at hand, which isn't declared, into the map of those.
    ///
    /// # Errors
    /// Where the object had it already, or the value doesn't fit.
    pub fn extra<M: Extra>(&mut self, reader: &mut Reader<'a>, into: &mut M) -> Result<(), Fault> {
        keep(reader, std::mem::take(&mut self.other), into)
    }

    /// The fault of a closed object that has the member at hand, which isn't declared.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn refuse(&self) -> Fault {
        let names: Vec<String> = self.names.names.iter().take(40).map(|name| format!("`{name}`")).collect();
        let known = match &*names {
            [] => "none".to_owned(),
            [one] => one.clone(),
            [one, other] => format!("{one} or {other}"),
            more => more.join(", "),
        };
        Fault::new(
            "additionalProperties",
            format!(
                "has the member {}, and no others than declared are allowed (it has {})",
                quoted(&self.other),
                shortened(&known, 200)
            ),
        )
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
pub(super) fn member_twice(key: &str) -> Fault {
    Fault::new("json", format!("has the member {} twice", quoted(key)))
}
