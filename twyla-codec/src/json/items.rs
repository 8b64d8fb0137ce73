//! The items of an array, one after another.

use super::fault::Fault;
use super::read::Read;
use super::reader::Reader;

/// One array that is being read.
#[derive(Debug)]
pub struct Items {
    next: usize,
}

impl Items {
    /// Reads the next item, or none at the end of the array.
    ///
    /// # Errors
    /// Where the text is no JSON, or the item doesn't fit.
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
    /// Enters the array at hand.
    ///
    /// # Errors
    /// A `type` fault where it is none.
    #[inline]
    pub fn array(&mut self) -> Result<Items, Fault> {
        if self.next_byte() != b'[' {
            return Err(self.mismatch("an array"));
        }
        self.enter()?;
        Ok(Items { next: 0 })
    }
}
