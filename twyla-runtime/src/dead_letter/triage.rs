//! What is done with dead letters: looked at one by one, and kept, handed to their group again, or thrown away.

/// What becomes of one dead letter: the answer of the function that [`Bus::sort_dead_letters`](crate::Bus::sort_dead_letters)
/// asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It stays in the dead queue.
    Keep,
    /// It goes back to its group's queue, under the same message id, as if it had never been tried.
    Replay,
    /// It is thrown away.
    Drop,
    /// It stays, and no other is looked at.
    Stop,
}

/// What has become of the dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sorted {
    /// How many stayed, of those that were looked at.
    pub kept: usize,
    /// How many their group has again.
    pub replayed: usize,
    /// How many are gone.
    pub dropped: usize,
}

/// The function that says what becomes of each.
pub(crate) type Decide<'a> = &'a mut (dyn FnMut(&crate::DeadLetter) -> Sort + Send);
