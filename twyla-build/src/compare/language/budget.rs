//! The budget of a search: steps, which are the same on every machine, and time as a limit for slow ones.

use std::time::{Duration, Instant};

/// The number of calls between two looks at the clock.
const CALLS: u32 = 64;

/// The steps and the time that remain for a search.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    steps: u64,
    /// `None` if the time is unlimited.
    end: Option<Instant>,
    calls: u32,
    late: bool,
}

impl Budget {
    /// Creates a budget of steps and time. The time begins now.
    pub(crate) fn new(steps: u64, time: Duration) -> Self {
        Self { steps, end: Instant::now().checked_add(time), calls: 0, late: false }
    }

    /// Creates a budget of steps, with unlimited time.
    pub(crate) fn of_steps(steps: u64) -> Self {
        Self { steps, end: None, calls: 0, late: false }
    }

    /// Takes steps from the budget. Returns false if there aren't enough, or the time is over.
    pub(crate) fn take(&mut self, steps: u64) -> bool {
        self.calls = self.calls.wrapping_add(1);
        if self.calls % CALLS == 1 && self.end.is_some_and(|end| Instant::now() >= end) {
            self.late = true;
            self.steps = 0;
            return false;
        }
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.is_some()
    }

    /// Returns the remaining steps.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// Raises the remaining steps to at least this many, unless the time is over.
    pub(crate) fn raise(&mut self, least: u64) {
        if !self.late {
            self.steps = self.steps.max(least);
        }
    }

    /// Returns whether the time ran out before the steps.
    pub(crate) fn is_late(&self) -> bool {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_before_a_time_that_is_long() {
        let mut budget = Budget::new(3, Duration::MAX);
        assert!(budget.take(2) && !budget.take(2));
        assert!(!budget.is_late());
        budget.raise(1);
        assert!(budget.take(1));
    }

    #[test]
    fn a_time_that_is_over_ends_a_search_with_steps_left() {
        let mut budget = Budget::new(u64::MAX, Duration::ZERO);
        assert!(!budget.take(1));
        assert!(budget.is_late());
        budget.raise(1);
        assert!(!budget.take(1), "more steps don't bring the time back");
    }
}
