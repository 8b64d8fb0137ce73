//! Triage of dead letters: each is kept, replayed or dropped.

/// The decision on one dead letter, for [`Bus::sort_dead_letters`](crate::Bus::sort_dead_letters).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Leave the letter in the dead queue.
    Keep,
    /// Return the letter to its group's queue, under the same message id and with no attempts counted.
    Replay,
    /// Delete the letter.
    Drop,
    /// Leave the letter in the dead queue, and end the triage.
    Stop,
}

/// The result of a triage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sorted {
    /// The number of letters with the decision [`Sort::Keep`].
    pub kept: usize,
    /// The number of letters that were returned to their group's queue.
    pub replayed: usize,
    /// The number of letters that were deleted.
    pub dropped: usize,
}

/// The function that decides on each dead letter.
pub(crate) type Decide<'a> = &'a mut (dyn FnMut(&crate::DeadLetter) -> Sort + Send);
