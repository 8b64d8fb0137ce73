//! The retry budget: limits retries to a share of the calls, so that retries don't keep an overloaded service down.

use std::sync::atomic::{AtomicU32, Ordering};

/// The cost of a retry.
const RETRY: u32 = 1000;
/// The credit of a call: ten calls pay for one retry.
const CALL: u32 = 100;
/// The maximum balance: a hundred retries.
const MOST: u32 = 100 * RETRY;
/// The initial balance: ten retries.
const FIRST: u32 = 10 * RETRY;

/// The balance of a caller's retries to one service.
pub(crate) struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(FIRST))
    }
}

impl Budget {
    /// Adds the credit of a call.
    pub(crate) fn put_in(&self) {
        let more = |there: u32| (there < MOST).then(|| (there + CALL).min(MOST));
        // an error means that the balance is at its maximum
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Withdraws the cost of a retry; returns false if the balance is too low.
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
