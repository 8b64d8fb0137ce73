//! The memory budget for request bodies that are still arriving.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A service's budget in bytes, shared by all requests.
pub(crate) struct Room {
    most: usize,
    taken: AtomicUsize,
}

/// The part of the budget that one request uses, until this is dropped.
pub(crate) struct Share<'a> {
    room: &'a Room,
    bytes: usize,
}

/// The budget is exhausted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Room {
    pub(crate) fn of(most: usize) -> Self {
        Self { most, taken: AtomicUsize::new(0) }
    }

    /// Creates an empty share.
    pub(crate) fn share(&self) -> Share<'_> {
        Share { room: self, bytes: 0 }
    }
}

impl Share<'_> {
    /// Grows the share to `bytes`, which is not less than before.
    ///
    /// # Errors
    /// [`NoRoom`] if the budget would be exceeded.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let more = bytes.saturating_sub(self.bytes);
        let fits = |taken: usize| taken.checked_add(more).filter(|taken| *taken <= self.room.most);
        self.room.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map_err(|_| NoRoom)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        // most requests arrive in one piece and use no share
        if self.bytes > 0 {
            self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_have_no_more_than_there_is() {
        let room = Room::of(10);
        let (mut one, mut other) = (room.share(), room.share());
        assert_eq!((one.grow(4), one.grow(6), other.grow(4)), (Ok(()), Ok(()), Ok(())));
        assert_eq!((other.grow(5), other.grow(4)), (Err(NoRoom), Ok(())));
        drop(other);
        assert_eq!(one.grow(10), Ok(()));
        drop(one);
        assert_eq!(room.share().grow(10), Ok(()));
    }
}
