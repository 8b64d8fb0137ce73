//! Whether the handlers of a listener are fast enough to share a task.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A handler that blocks its thread for longer is slow: other deliveries must not wait behind it.
const SLOW: Duration = Duration::from_micros(50);
/// The number of deliveries that get a task of their own after a slow one.
const APART: u32 = 256;

/// Decides whether the deliveries of a listener share a task.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    apart: AtomicU32,
}

impl Pace {
    /// Returns whether the next delivery gets a task of its own.
    pub(crate) fn is_apart(&self) -> bool {
        self.apart.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    pub(crate) fn took(&self, time: Duration) {
        if time > SLOW {
            self.apart.store(APART, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_handler_gets_tasks_of_its_own_for_a_while() {
        let pace = Pace::default();
        pace.took(SLOW);
        assert!(!pace.is_apart());
        pace.took(SLOW * 2);
        assert!((0..APART).all(|_| pace.is_apart()));
        assert!(!pace.is_apart());
    }
}
