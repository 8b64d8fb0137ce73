//! The `Read` trait: types that are read from JSON text.

use super::fault::Fault;
use super::reader::Reader;
use crate::received::Received;

/// A type that is read from JSON text, exactly as JSON Schema sees values.
pub trait Read: Sized {
    /// Reads the next value.
    ///
    /// # Errors
    /// The text is not valid JSON, or its value doesn't fit the type.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault>;
}

/// Reads a whole text as one value.
///
/// # Errors
/// The text is not valid JSON, or its value doesn't fit the type.
pub fn from_str<T: Read>(text: &str) -> Result<T, Fault> {
    let mut reader = Reader::new(text);
    let value = T::read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a whole text as one value, like [`from_str`], but refuses a number beyond 2^53 that an `f64` would have with other
/// digits, so that limits are never compared with another number. Also returns the large numbers as the text has them, if one
/// is written otherwise by this crate.
///
/// # Errors
/// The errors of [`from_str`], or the text has such a number.
pub fn from_str_exactly<T: Read>(text: &str) -> Result<(T, Option<Received>), Fault> {
    let mut reader = Reader::new(text);
    reader.exactly = true;
    let value = T::read(&mut reader)?;
    reader.end()?;
    let received = if reader.has_other_notation { Reader::new(text).received()? } else { None };
    Ok((value, received))
}

/// Returns a property's default value, read from its JSON text. The build script has checked that the type can read it.
///
/// # Panics
/// The type can't read the text.
#[must_use]
pub fn default<T: Read>(text: &'static str) -> T {
    from_str(text).unwrap_or_else(|fault| unreachable!("the default {text} does not fit its type: {fault:?}"))
}
