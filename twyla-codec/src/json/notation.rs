//! The notations of large numbers in a text.

use crate::violation::LargeNumbers;

/// The notations of the numbers beyond 2^53 that a text has, if all digits of the `f64` are another number than the shortest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notations {
    /// Whether a number has the digits that are written for it.
    pub(super) written: bool,
    /// Whether a number has the other ones.
    pub(super) other: bool,
}

impl Notations {
    pub(super) const NONE: Self = Self { written: false, other: false };

    pub(super) const fn merge(&mut self, more: Self) {
        self.written |= more.written;
        self.other |= more.other;
    }

    /// Returns how a check of what was read takes large numbers.
    pub(super) const fn large_numbers(self) -> LargeNumbers {
        match (self.written, self.other) {
            (_, false) => LargeNumbers::Written,
            (false, true) => LargeNumbers::Other,
            (true, true) => LargeNumbers::Either,
        }
    }
}
