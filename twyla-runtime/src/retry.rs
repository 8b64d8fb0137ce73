//! How often a failed handler is tried again, and the pauses between.

use std::time::Duration;

/// How often a handler that failed is tried again, and how long it is waited between two attempts.
///
/// The pause doubles with each attempt. The delivery stays with this process meanwhile, and takes one place of the prefetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts there are in all; 0 counts as 1.
    pub attempts: u32,
    /// The pause behind the first attempt.
    pub first: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Default for Retry {
    /// Five attempts, with pauses from 100 ms, at most 5 s.
    fn default() -> Self {
        Self { attempts: 5, first: Duration::from_millis(100), max: Duration::from_secs(5) }
    }
}

impl Retry {
    /// One attempt: what fails is parked at once.
    #[must_use]
    pub const fn never() -> Self {
        Self { attempts: 1, first: Duration::ZERO, max: Duration::ZERO }
    }

    /// The pause behind attempt number `attempt` (from 1); `None` if that was the last.
    #[must_use]
    pub fn pause(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| doubled(self.first, self.max, attempt.saturating_sub(1)))
    }
}

/// `first`, doubled `times` times, at most `max`.
pub(crate) fn doubled(first: Duration, max: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let retry = Retry { attempts: 5, first: Duration::from_millis(100), max: Duration::from_millis(300) };
        let pauses: Vec<_> = (1..=5).map(|attempt| retry.pause(attempt).map(|pause| pause.as_millis())).collect();
        assert_eq!(pauses, [Some(100), Some(200), Some(300), Some(300), None]);
        assert_eq!(Retry::never().pause(1), None);
        let huge = Retry { attempts: u32::MAX, first: Duration::from_secs(1), max: Duration::MAX };
        assert!(huge.pause(u32::MAX - 1).is_some());
    }
}
