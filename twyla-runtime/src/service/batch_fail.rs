//! The error by which the handler of a batch says which of its events failed.

use std::error::Error as StdError;
use std::fmt;

type Cause = Box<dyn StdError + Send + Sync>;

/// The error of a batch handler: the events that failed, by their index in the batch, or the whole batch.
///
/// The other events of the batch count as handled and are acked. Each failed event is retried alone by the listener's
/// [`Retry`](crate::Retry), and its error decides as that of any handler does ([`Fail`](crate::Fail)). If the handler takes the
/// transaction (`Tx`), it is rolled back, and the others are handled again together, without the failed ones.
///
/// `?` converts any other error to the failure of the whole batch: it is retried as it is if the error may pass, or else each of
/// its events is handled alone ([`mod@crate::delivery`]).
///
/// ```
/// use twyla_runtime::{BatchFail, Fail};
///
/// async fn book(cents: Vec<i64>) -> Result<(), BatchFail> {
///     let mut failed = BatchFail::new();
///     for (index, cents) in cents.iter().enumerate() {
///         if *cents < 0 {
///             failed.add(index, Fail::park("a price is never negative"));
///         }
///     }
///     failed.into_result()
/// }
/// ```
#[derive(Debug, Default)]
pub struct BatchFail {
    whole: Option<Cause>,
    events: Vec<(usize, Cause)>,
}

/// The failure of a batch, as its listener sees it.
#[derive(Debug)]
pub enum BatchFailure {
    /// The whole batch failed.
    Whole(Cause),
    /// The events with these indices failed. No index occurs twice.
    Events(Vec<(usize, Cause)>),
}

impl BatchFail {
    /// Creates an error without failed events, to [add](Self::add) them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates the error of one failed event.
    #[must_use]
    pub fn at(index: usize, error: impl Into<Cause>) -> Self {
        let mut failed = Self::new();
        failed.add(index, error);
        failed
    }

    /// Creates the failure of the whole batch.
    #[must_use]
    pub fn whole(error: impl Into<Cause>) -> Self {
        Self { whole: Some(error.into()), events: Vec::new() }
    }

    /// Adds a failed event by its index in the batch, from 0, in the order in which the handler got the events. If it sorts them,
    /// [`BatchEvent::index`](crate::BatchEvent::index) still has that index. The first error of an event counts. An index outside of the
    /// batch makes the whole batch fail.
    pub fn add(&mut self, index: usize, error: impl Into<Cause>) {
        self.events.push((index, error.into()));
    }

    /// Returns whether nothing failed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_none() && self.events.is_empty()
    }

    /// Returns the result of the handler: `Ok` if nothing failed.
    ///
    /// # Errors
    /// Itself, if anything failed.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Returns the failure of a batch with `len` events; `None` if nothing failed.
    pub(crate) fn failure(self, len: usize) -> Option<BatchFailure> {
        if let Some(error) = self.whole {
            return Some(BatchFailure::Whole(error));
        }
        if let Some((index, error)) = self.events.iter().find(|(index, _)| *index >= len) {
            let text = format!("the handler reports event {index} of a batch of {len} as failed: {error}");
            return Some(BatchFailure::Whole(text.into()));
        }
        let mut events = self.events;
        // stable, so that the first error of each event stays first
        events.sort_by_key(|(index, _)| *index);
        events.dedup_by_key(|(index, _)| *index);
        (!events.is_empty()).then_some(BatchFailure::Events(events))
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for BatchFail {
    fn from(error: E) -> Self {
        Self::whole(error)
    }
}

impl fmt::Display for BatchFail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.whole, &*self.events) {
            (Some(error), _) => fmt::Display::fmt(error, f),
            (None, []) => f.write_str("no event failed"),
            (None, [(index, error)]) => write!(f, "event {index} failed: {error}"),
            (None, [(index, error), rest @ ..]) => {
                write!(f, "event {index} failed: {error}; and {} others", rest.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(failed: BatchFail) -> String {
        match failed.failure(3) {
            None => "none".to_owned(),
            Some(BatchFailure::Whole(error)) => error.to_string(),
            Some(BatchFailure::Events(events)) => {
                events.iter().map(|(index, error)| format!("{index} {error};")).collect()
            }
        }
    }

    #[test]
    fn the_first_error_of_each_event_counts_in_the_order_of_the_batch() {
        let mut failed = BatchFail::at(2, "c");
        failed.add(0, "a");
        failed.add(2, "again");
        assert_eq!(failed.to_string(), "event 2 failed: c; and 2 others");
        assert_eq!(failure(failed), "0 a;2 c;");
        assert_eq!(failure(BatchFail::new()), "none");
    }

    #[test]
    fn an_index_outside_of_the_batch_fails_it_whole() {
        let mut failed = BatchFail::at(0, "a");
        failed.add(3, "d");
        assert_eq!(failure(failed), "the handler reports event 3 of a batch of 3 as failed: d");
    }

    #[test]
    fn another_error_is_the_failure_of_the_whole_batch() {
        let failed = || -> Result<(), BatchFail> { Err(std::io::Error::other("gone"))? };
        assert_eq!(failure(failed().unwrap_err()), "gone");
    }
}
