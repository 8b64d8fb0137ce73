//! The `Read` trait: types that are read from JSON text.

use super::fault::Fault;
use super::reader::Reader;

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

/// Returns a property's default value, read from its JSON text. The build script has checked that the type can read it.
///
/// # Panics
/// The type can't read the text.
#[must_use]
pub fn default<T: Read>(text: &'static str) -> T {
    from_str(text).unwrap_or_else(|fault| unreachable!("the default {text} does not fit its type: {fault:?}"))
}
