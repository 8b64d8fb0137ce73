//! Reading and writing JSON text for generated types: exactly as JSON Schema sees values, and with little cost.
//!
//! A [`Reader`](reader::Reader) walks over a text that is UTF-8 already. A type that reads itself from it implements
//! [`Read`]; one that writes itself implements [`Write`]. What is laxer in serde is strict here: no object has a key
//! twice at any depth, no integer loses a digit, an array is no struct. What is stricter there is right here: `1.0` and
//! `1e2` are integers.
//!
//! The rooms: `reader` knows the structure, `members` objects that declare theirs, `text` strings, `number` numbers, `skip`
//! what nobody asked for, `keys` which keys an object had, `values` the types of the standard library, `words` enums of
//! strings, `write` the way back, `fault` what is wrong and where, and `bridge` the way to serde.

pub mod bridge;
pub mod fault;
mod keys;
pub mod members;
mod number;
pub mod reader;
mod skip;
mod text;
mod values;
pub mod words;
pub mod write;

pub use bridge::{deserialize, serialize};
pub use fault::Fault;
pub use members::{Extra, Members, Names, required};
pub use reader::{Items, Reader, Token};
pub use words::word;
pub use write::{close_object, write_member, write_str};

/// Reads itself from JSON text, exactly as JSON Schema sees values.
pub trait Read: Sized {
    /// Reads the next value.
    ///
    /// # Errors
    /// Where the text is no JSON, or its value doesn't fit the type.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault>;
}

/// Appends itself as JSON text. Can't fail: the rules have seen that numbers are finite.
pub trait Write {
    /// Appends the value.
    fn write(&self, out: &mut Vec<u8>);
}

/// Reads a whole text as one value.
///
/// # Errors
/// Where the text is no JSON, or its value doesn't fit the type.
pub fn from_str<T: Read>(text: &str) -> Result<T, Fault> {
    let mut reader = Reader::new(text);
    let value = T::read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The default of a property, of which the build script has made sure that its type reads it.
///
/// # Panics
/// Where that isn't so.
#[must_use]
pub fn default<T: Read>(text: &'static str) -> T {
    from_str(text).unwrap_or_else(|fault| unreachable!("the default {text} is none of its type: {fault:?}"))
}

/// The bytes as a text.
///
/// # Errors
/// A `json` fault where they are no UTF-8.
pub fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    // the standard library's is slower, and tells where the text breaks
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes)).map_err(|error| no_utf8(bytes, error))
}

#[cold]
fn no_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Fault {
    Fault::new("json", other_encoding(bytes).map_or_else(|| format!("is no UTF-8: {error}"), str::to_owned))
}

/// What a text is that doesn't begin as JSON in UTF-8 does: UTF-16, or UTF-8 with a byte order mark.
///
/// ```
/// use twyla_runtime::json::other_encoding;
///
/// assert_eq!(other_encoding("{}".as_bytes()), None);
/// assert_eq!(other_encoding(b"\xff\xfe{\0}\0"), Some("is UTF-16, and JSON is UTF-8"));
/// ```
#[must_use]
pub fn other_encoding(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xef, 0xbb, 0xbf, ..] => Some("begins with a byte order mark, which JSON doesn't allow"),
        // without a mark its first character shows it: JSON begins with one of ASCII
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Some("is UTF-16, and JSON is UTF-8"),
        _ => None,
    }
}

#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod typed_tests;
