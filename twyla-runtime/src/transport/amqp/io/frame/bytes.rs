//! The elementary values of AMQP 0-9-1: integers, strings, and the values of tables, as they are written.

use bytes::Bytes;

use crate::dead_letter::letter::Header;

/// Reads what is left of these bytes.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(drop)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(length.into())
    }

    pub(crate) fn short_with_length(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.0.first()?);
        self.take(1 + length)
    }

    pub(crate) fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.array().map(u32::from_be_bytes)?;
        self.take(usize::try_from(length).ok()?)
    }

    /// The text that stands here, if it is of the header `wanted`. It is still to be read.
    pub(crate) fn text_of(&self, name: &[u8], wanted: &str) -> Option<&'a [u8]> {
        let (b'S', text) = self.0.split_first()? else { return None };
        if name == wanted.as_bytes() { Reader(text).long() } else { None }
    }

    /// Section 4.2.5.5, with the types that RabbitMQ has added. Tables and arrays are passed over by their size, however
    /// deep they are nested.
    pub(crate) fn value(&mut self) -> Option<Value<'a>> {
        let whole = self.0;
        match self.u8()? {
            b't' | b'b' | b'B' => self.skip(1)?,
            b's' | b'U' | b'u' => self.skip(2)?,
            b'I' | b'i' | b'f' => self.skip(4)?,
            b'D' => self.skip(5)?,
            b'l' | b'L' | b'd' | b'T' => self.skip(8)?,
            b'S' | b'F' | b'A' | b'x' => self.long().map(drop)?,
            b'V' => {}
            _ => return None,
        }
        Some(Value(&whole[..whole.len() - self.0.len()]))
    }
}

/// The value of a header as it is written, with the letter for its type.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a>(pub(crate) &'a [u8]);

impl Value<'_> {
    /// The header of this name.
    pub(crate) fn header(self, name: &str) -> Header {
        let is_known = name.starts_with("x-twyla-") || name == "x-delivery-count";
        let known = if is_known { self.known() } else { None };
        known.unwrap_or_else(|| Header::Raw(Bytes::copy_from_slice(self.0)))
    }

    /// A text, a whole number, or true or false.
    pub(crate) fn known(self) -> Option<Header> {
        let (kind, value) = self.0.split_first()?;
        let mut at = Reader(value);
        Some(match kind {
            b't' => Header::Flag(at.u8()? != 0),
            b'b' => Header::Number(i8::from_be_bytes(at.array()?).into()),
            b'B' => Header::Number(at.u8()?.into()),
            b's' | b'U' => Header::Number(i16::from_be_bytes(at.array()?).into()),
            b'u' => Header::Number(at.u16()?.into()),
            b'I' => Header::Number(i32::from_be_bytes(at.array()?).into()),
            b'i' => Header::Number(at.array().map(u32::from_be_bytes)?.into()),
            b'l' | b'L' => Header::Number(at.array().map(i64::from_be_bytes)?),
            b'S' => Header::Text(String::from_utf8_lossy(at.long()?).into_owned()),
            _ => return None,
        })
    }
}
