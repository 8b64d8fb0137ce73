//! Values of types that replace generated ones (`Builder::replace`): serde reads and writes them.
//!
//! The rules of the schema aren't checked here: a type with replaced parts decodes and encodes through the generated
//! type of its schema ([`decode_through`](crate::validate::contract::decode_through)).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use serde::de::DeserializeOwned;
use twyla_contract::text::shortened;

use super::fault::Fault;
use super::members::{Members, member_twice};
use super::reader::Reader;
use super::write::write_str;
use crate::path::Path;
use crate::violation::Violations;

/// Reads the next value by serde.
///
/// # Errors
/// The text is not valid JSON, or the type doesn't accept the value.
pub fn foreign<T: DeserializeOwned>(reader: &mut Reader<'_>) -> Result<T, Fault> {
    let mut text = serde_json::Deserializer::from_str(reader.raw()?);
    serde_path_to_error::deserialize(&mut text).map_err(|error| refused::<T>(&error))
}

#[cold]
fn refused<T>(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    use serde_path_to_error::Segment;
    let (inner, text) = (error.inner(), error.inner().to_string());
    let place = format!(" at line {} column {}", inner.line(), inner.column());
    let text = shortened(text.strip_suffix(place.as_str()).unwrap_or(&text), 200);
    let fault = Fault::new("type", format!("`{}` doesn't accept the value: {text}", std::any::type_name::<T>()));
    let steps: Vec<&Segment> = error.path().iter().collect();
    steps.into_iter().rev().fold(fault, |fault, step| match step {
        Segment::Seq { index } => fault.in_item(*index),
        Segment::Map { key } | Segment::Enum { variant: key } => fault.in_key(key),
        Segment::Unknown => fault,
    })
}

impl<'a> Members<'a> {
    /// Reads the value of the current declared member into its slot, by serde.
    ///
    /// # Errors
    /// The member is a duplicate, or its value doesn't fit.
    pub fn foreign<T: DeserializeOwned>(&mut self, reader: &mut Reader<'a>, slot: &mut Option<T>) -> Result<(), Fault> {
        if slot.is_some() {
            return Err(self.twice());
        }
        *slot = Some(foreign(reader).map_err(|fault| fault.in_key(self.declared()))?);
        Ok(())
    }

    /// Reads the current undeclared member into a map, by serde.
    ///
    /// # Errors
    /// The member is a duplicate, or its value doesn't fit.
    pub fn foreign_extra<T: DeserializeOwned>(
        &mut self,
        reader: &mut Reader<'a>,
        into: &mut BTreeMap<String, T>,
    ) -> Result<(), Fault> {
        let key = self.take_other();
        let item = foreign(reader).map_err(|fault| fault.in_key(&key))?;
        match into.entry(key.into_owned()) {
            Entry::Vacant(free) => {
                free.insert(item);
                Ok(())
            }
            Entry::Occupied(taken) => Err(member_twice(taken.key())),
        }
    }
}

/// Appends a value by serde. Appends nothing if serde can't write it: then the text is not valid JSON, and
/// [`serializable`] reports the value.
pub fn write_foreign<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
    }
}

/// Appends a member and a comma. `key` has its quotes and its colon.
pub fn write_foreign_member<T: Serialize + ?Sized>(key: &'static str, value: &T, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    write_foreign(value, out);
    out.push(b',');
}

/// Appends a member with a dynamic key, and a comma.
pub fn write_foreign_extra<T: Serialize + ?Sized>(key: &str, value: &T, out: &mut Vec<u8>) {
    write_str(key, out);
    out.push(b':');
    write_foreign(value, out);
    out.push(b',');
}

/// Checks that serde can write a value.
pub fn serializable<T: Serialize + ?Sized>(value: &T, at: &Path<'_>, out: &mut Violations) {
    if let Err(error) = serde_json::to_writer(std::io::sink(), value) {
        let text = error.to_string();
        out.push(at, "type", format!("the value can't be written as JSON: {}", shortened(&text, 200)));
    }
}
