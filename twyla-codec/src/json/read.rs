//! Types that read themselves from JSON text.

use super::fault::Fault;
use super::reader::Reader;

/// Reads itself from JSON text, exactly as JSON Schema sees values.
pub trait Read: Sized {
    /// Reads the next value.
    ///
    /// # Errors
    /// Where the text is no JSON, or its value doesn't fit the type.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault>;
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
