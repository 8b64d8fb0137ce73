//! `Read` for the types of the standard library and `serde_json::Value`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::members::keep;
use super::number::{Literal, Written};
use super::read::Read;
use super::reader::Reader;

impl Read for bool {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        match reader.next_byte() {
            b't' => reader.literal("true").map(|()| true),
            b'f' => reader.literal("false").map(|()| false),
            _ => Err(reader.mismatch("a boolean")),
        }
    }
}

impl Read for () {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        match reader.next_byte() {
            b'n' => reader.literal("null"),
            _ => Err(reader.mismatch("null")),
        }
    }
}

impl Read for String {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.string().map(std::borrow::Cow::into_owned)
    }
}

impl Read for i64 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.number("an integer")?.signed()
    }
}

impl Read for u64 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.number("an integer")?.unsigned()
    }
}

macro_rules! narrow {
    ($($type:ty => $wide:ident;)*) => {$(
        impl Read for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                let value = reader.number("an integer")?.$wide()?;
                Self::try_from(value).map_err(|_| outside(value.into(), Self::MIN.into(), Self::MAX.into()))
            }
        }
    )*};
}

narrow! {
    i8 => signed;
    i16 => signed;
    i32 => signed;
    u8 => unsigned;
    u16 => unsigned;
    u32 => unsigned;
}

/// Returns the fault of an integer outside the bounds of its type, which are also the bounds of its schema.
#[cold]
fn outside(value: i128, least: i128, most: i128) -> Fault {
    if value < least {
        Fault::new("minimum", format!("{value} is less than {least}"))
    } else {
        Fault::new("maximum", format!("{value} is more than {most}"))
    }
}

impl Read for f64 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        match reader.simple_float() {
            Some(value) => Ok(value),
            None => {
                let number = reader.number("a number")?;
                reader.float(number, Written::Field)
            }
        }
    }
}

impl<T: Read> Read for Box<T> {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        T::read(reader).map(Box::new)
    }
}

impl<T: Read> Read for Option<T> {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        if reader.next_byte() == b'n' {
            return reader.literal("null").map(|()| None);
        }
        T::read(reader).map(Some)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut items = reader.array()?;
        let mut out = Vec::new();
        while let Some(item) = items.next(reader)? {
            out.push(item);
        }
        Ok(out)
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.object()?;
        let mut out = BTreeMap::new();
        let mut first = true;
        while let Some(key) = reader.next_key(first)? {
            first = false;
            keep(reader, key, &mut out)?;
        }
        Ok(out)
    }
}

impl Read for Map<String, Value> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.object()?;
        let mut out = Map::new();
        let mut first = true;
        while let Some(key) = reader.next_key(first)? {
            first = false;
            keep(reader, key, &mut out)?;
        }
        Ok(out)
    }
}

impl Read for Value {
    // the reader's limit bounds the recursion
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok(match reader.next_byte() {
            b'"' => Value::String(reader.text_at_quote()?.into_owned()),
            b'0'..=b'9' | b'-' => {
                if let Some(value) = reader.simple_float() {
                    return Ok(Value::from(value));
                }
                match reader.number("a number")? {
                    Literal::Unsigned(value) => Value::from(value),
                    Literal::Signed(value) if value != 0 => Value::from(value),
                    other => Value::from(reader.float(other, Written::Value)?),
                }
            }
            b'{' => Value::Object(Map::read(reader)?),
            b'[' => Value::Array(Vec::read(reader)?),
            b't' => reader.literal("true").map(|()| Value::Bool(true))?,
            b'f' => reader.literal("false").map(|()| Value::Bool(false))?,
            b'n' => reader.literal("null").map(|()| Value::Null)?,
            _ => return Err(reader.no_value()),
        })
    }
}
