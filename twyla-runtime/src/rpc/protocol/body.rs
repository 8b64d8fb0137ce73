//! A size-limited body that is received in pieces. A single piece, the usual case, is not copied.

use bytes::{Bytes, BytesMut};

/// The pieces received so far.
pub(crate) struct Pieces {
    first: Bytes,
    /// The concatenation, if there is more than one piece.
    more: BytesMut,
    most: usize,
}

/// The error of a body that exceeds the limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Pieces {
    /// Creates an empty body of at most `most` bytes.
    pub(crate) fn of_at_most(most: usize) -> Self {
        Self { first: Bytes::new(), more: BytesMut::new(), most }
    }

    /// Appends a piece.
    ///
    /// # Errors
    /// [`TooLarge`] if the body exceeds its limit.
    pub(crate) fn add(&mut self, piece: Bytes) -> Result<(), TooLarge> {
        if self.len() + piece.len() > self.most {
            return Err(TooLarge);
        }
        if self.first.is_empty() && self.more.is_empty() {
            self.first = piece;
        } else {
            if self.more.is_empty() {
                self.more.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.more.extend_from_slice(&piece);
        }
        Ok(())
    }

    /// Returns the number of bytes received.
    pub(crate) fn len(&self) -> usize {
        self.first.len() + self.more.len()
    }

    /// Returns the body.
    pub(crate) fn whole(self) -> Bytes {
        if self.more.is_empty() { self.first } else { self.more.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together_and_one_alone_is_not_copied() {
        let one = Bytes::from(vec![b'x'; 100]);
        let mut body = Pieces::of_at_most(100);
        body.add(one.clone()).unwrap();
        assert_eq!(body.whole().as_ptr(), one.as_ptr());
        let mut body = Pieces::of_at_most(4);
        for piece in ["", "a", "", "bc", "d"] {
            body.add(Bytes::from(piece)).unwrap();
        }
        assert_eq!(body.add(Bytes::from("e")), Err(TooLarge));
        assert_eq!(body.whole(), "abcd");
        assert_eq!(Pieces::of_at_most(0).whole(), "");
    }
}
