//! The `Write` trait: values appended as JSON text, byte for byte as `serde_json` does, except for whole floats (see `f64`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::text::plain;

/// A value that is written as JSON text. Writing can't fail: the checks refuse numbers that are not finite.
pub trait Write {
    /// Appends the value.
    fn write(&self, out: &mut Vec<u8>);
}

/// Appends a quoted string.
pub fn write_str(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let end = plain(bytes);
    if end == bytes.len() {
        out.extend_from_slice(bytes);
    } else {
        write_escaped(bytes, end, out);
    }
    out.push(b'"');
}

/// Appends a string with escapes; `plain_to` is the length of the prefix without any.
#[inline(never)]
fn write_escaped(mut rest: &[u8], mut plain_to: usize, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    while let Some((run, after)) = rest.split_at_checked(plain_to) {
        out.extend_from_slice(run);
        let Some((special, after)) = after.split_first() else {
            return;
        };
        let short = match special {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            _ => b'u',
        };
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            let low = HEX.get(usize::from(special & 15)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'0', b'0', b'0' + (special >> 4), low]);
        }
        rest = after;
        plain_to = plain(rest);
    }
}

/// Appends a member and a comma. `key` has its quotes and its colon. [`close_object`] removes the last comma.
#[inline]
pub fn write_member<T: Write + ?Sized>(key: &'static str, value: &T, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    value.write(out);
    out.push(b',');
}

/// Appends a member and a comma, unless the member is absent.
#[inline]
pub fn write_optional<T: Write>(key: &'static str, value: &Option<T>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        write_member(key, value, out);
    }
}

/// Closes an object that was opened with `{` and whose members each end with a comma.
#[inline]
pub fn close_object(out: &mut Vec<u8>) {
    close(b'}', out);
}

/// Replaces a trailing comma by a closing bracket. Appends the bracket if there is no comma, as in an empty array.
#[inline]
fn close(bracket: u8, out: &mut Vec<u8>) {
    match out.last_mut() {
        Some(last @ b',') => *last = bracket,
        _ => out.push(bracket),
    }
}

impl<T: Write + ?Sized> Write for &T {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

impl<T: Write + ?Sized> Write for Box<T> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

impl Write for bool {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Write for () {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"null");
    }
}

impl Write for str {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        write_str(self, out);
    }
}

impl Write for String {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        write_str(self, out);
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Write for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

/// The first integer beyond an `i64`.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

impl Write for f64 {
    /// Writes a whole number like an integer, with all its digits and without a point: `100`, not `100.0`.
    #[expect(clippy::cast_possible_truncation, reason = "is whole and within an i64")]
    fn write(&self, out: &mut Vec<u8>) {
        let is_zero = *self == 0.0;
        if self.trunc() == *self && self.abs() < BEYOND && !(is_zero && self.is_sign_negative()) {
            (*self as i64).write(out);
        } else {
            write_float(*self, out);
        }
    }
}

/// Appends a float with a point or an exponent, so that `serde_json` reads it as a float. A number that isn't finite is
/// `null`.
fn write_float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

impl<T: Write> Write for Option<T> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(out),
            None => ().write(out),
        }
    }
}

impl<T: Write> Write for [T] {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for item in self {
            item.write(out);
            out.push(b',');
        }
        close(b']', out);
    }
}

impl<T: Write> Write for Vec<T> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.as_slice().write(out);
    }
}

/// Appends a member with a dynamic key, and a comma.
#[inline]
pub fn write_extra<T: Write + ?Sized>(key: &str, value: &T, out: &mut Vec<u8>) {
    write_str(key, out);
    out.push(b':');
    value.write(out);
    out.push(b',');
}

impl<T: Write> Write for BTreeMap<String, T> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (key, value) in self {
            write_extra(key, value, out);
        }
        close_object(out);
    }
}

impl Write for Map<String, Value> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (key, value) in self {
            write_extra(key, value, out);
        }
        close_object(out);
    }
}

impl Write for Value {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => ().write(out),
            Value::Bool(value) => value.write(out),
            Value::Number(number) => {
                if let Some(value) = number.as_u64() {
                    value.write(out);
                } else if let Some(value) = number.as_i64() {
                    value.write(out);
                } else if let Some(value) = number.as_f64() {
                    write_float(value, out);
                }
            }
            Value::String(text) => write_str(text, out),
            Value::Array(items) => items.write(out),
            Value::Object(members) => members.write(out),
        }
    }
}
