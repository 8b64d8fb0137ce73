//! How many retries a caller affords: a share of its calls, so that retries don't keep down a service that is down already.

use std::sync::atomic::{AtomicU32, Ordering};

/// What a retry costs.
const RETRY: u32 = 1000;
/// What a call puts in: ten calls are worth a retry.
const CALL: u32 = 100;
/// What may be put by: a hundred retries.
const MOST: u32 = 100 * RETRY;
/// What is there at first: ten retries.
const FIRST: u32 = 10 * RETRY;

/// The retries that a caller has left, of all its calls to one service.
pub(crate) struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(FIRST))
    }
}

impl Budget {
    /// A call was made.
    pub(crate) fn put_in(&self) {
        let more = |there: u32| (there < MOST).then(|| (there + CALL).min(MOST));
        // an error says that there is enough
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Takes out what a retry costs; false where it isn't there.
    pub(crate) fn afford(&self) -> bool {
        let taken = |there: u32| there.checked_sub(RETRY);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_calls_are_worth_a_retry() {
        let budget = Budget::default();
        let mut retries = 0;
        while budget.afford() {
            retries += 1;
        }
        assert_eq!(retries, 10);
        for _ in 0..25 {
            budget.put_in();
        }
        assert!(budget.afford() && budget.afford() && !budget.afford());
        for _ in 0..5000 {
            budget.put_in();
        }
        assert_eq!((0..200).filter(|_| budget.afford()).count(), 100);
    }
}
