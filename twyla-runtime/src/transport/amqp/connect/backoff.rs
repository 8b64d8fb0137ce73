//! The pauses between attempts to reconnect, and between attempts to restore a channel or consumer or to publish a message.

use std::time::Duration;

use crate::service::retry::doubled;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Exponential backoff with jitter, so that many clients don't reconnect at the same moment.
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::between(FIRST_PAUSE, LONGEST_PAUSE)
    }
}

impl Backoff {
    /// Creates a backoff whose first pause is between half of `first` and `first`.
    pub(crate) fn between(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempts: 0 }
    }

    /// Returns the next pause without jitter, which is its maximum.
    pub(super) fn peek(&self) -> Duration {
        doubled(self.first, self.longest, self.attempts)
    }

    /// Returns the next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let full = self.peek();
        self.attempts += 1;
        full / 2 + full / 2 * u32::from(chance()) / 255
    }
}

/// Returns a random byte.
pub(super) fn chance() -> u8 {
    uuid::Uuid::new_v4().as_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        let mut backoff = Backoff::default();
        for attempts in 0..40 {
            let full = doubled(FIRST_PAUSE, LONGEST_PAUSE, attempts);
            let pause = backoff.next();
            assert!(pause >= full / 2 && pause <= full, "{attempts}: {pause:?}");
        }
    }
}
