//! Reads AMQP 0-9-1 integers, strings and field values.

use bytes::Bytes;

use crate::dead_letter::headers::Header;

/// Reads from the remaining bytes.
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

    /// Returns the next value as text, without consuming it, if the header `name` is the header `wanted`; `None` if it isn't, or
    /// if the value isn't a text.
    pub(crate) fn text_of(&self, name: &[u8], wanted: &str) -> Option<&'a [u8]> {
        let (b'S', text) = self.0.split_first()? else { return None };
        if name == wanted.as_bytes() { Reader(text).long() } else { None }
    }

    /// Reads a field value (section 4.2.5.5, with RabbitMQ's types). Skips tables and arrays by their size, so nesting costs no
    /// stack.
    pub(crate) fn value(&mut self) -> Option<FieldValue<'a>> {
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
        Some(FieldValue(&whole[..whole.len() - self.0.len()]))
    }
}

/// An encoded field value, with its type letter.
#[derive(Clone, Copy)]
pub(crate) struct FieldValue<'a>(pub(crate) &'a [u8]);

impl FieldValue<'_> {
    /// Decodes the header `name`: Twyla's headers and the delivery count are parsed, others stay raw.
    pub(crate) fn header(self, name: &str) -> Header {
        let is_known = name.starts_with("x-twyla-") || name == "x-delivery-count";
        let known = if is_known { self.known() } else { None };
        known.unwrap_or_else(|| Header::Raw(Bytes::copy_from_slice(self.0)))
    }

    /// Decodes a string, an integer or a boolean; `None` for other types.
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
