//! Iteration over the items of an array.

use super::fault::Fault;
use super::read::Read;
use super::reader::Reader;

/// The state of reading one array.
#[derive(Debug)]
pub struct Items {
    next: usize,
}

impl Items {
    /// Reads the next item; `None` at the end of the array.
    ///
    /// # Errors
    /// The text is not valid JSON, or the item doesn't fit.
    #[inline]
    pub fn next<T: Read>(&mut self, reader: &mut Reader<'_>) -> Result<Option<T>, Fault> {
        let index = self.next;
        if !reader.next_item(index == 0)? {
            return Ok(None);
        }
        self.next = index + 1;
        match T::read(reader) {
            Ok(item) => Ok(Some(item)),
            Err(fault) => Err(fault.in_item(index)),
        }
    }
}

impl Reader<'_> {
    /// Enters the array at the current position.
    ///
    /// # Errors
    /// A `type` fault if the value is not an array.
    #[inline]
    pub fn array(&mut self) -> Result<Items, Fault> {
        if self.next_byte() != b'[' {
            return Err(self.mismatch("an array"));
        }
        self.enter()?;
        Ok(Items { next: 0 })
    }
}
