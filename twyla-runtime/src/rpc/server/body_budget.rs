//! The room for requests of which a part is still to come: whoever sends slowly has no place yet, and a bound all the same.

use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes, for all requests of a service.
pub(crate) struct Room {
    most: usize,
    taken: AtomicUsize,
}

/// What one request takes of it, until this is dropped.
pub(crate) struct Share<'a> {
    room: &'a Room,
    bytes: usize,
}

/// There is no room for more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Room {
    pub(crate) fn of(most: usize) -> Self {
        Self { most, taken: AtomicUsize::new(0) }
    }

    /// None of it yet.
    pub(crate) fn share(&self) -> Share<'_> {
        Share { room: self, bytes: 0 }
    }
}

impl Share<'_> {
    /// Makes it so many bytes, which are no fewer than before.
    ///
    /// # Errors
    /// [`NoRoom`] where all together would be more than there is room for.
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
        // most requests come in one piece, and share nothing
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
