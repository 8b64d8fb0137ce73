//! The retry policy of failed handlers: how often, and after which pauses.

use std::time::Duration;

/// The retry policy of failed handlers: the number of attempts, and the pauses between them.
///
/// The pause doubles with each attempt. For up to a second the event waits in this process and counts against the prefetch. For
/// longer pauses it goes to a retry queue, `<queue>.retry.<pause>`, whose messages return when their time to live is over: any
/// member of the group may then handle it, and no other event waits behind it. In a listener ordered by a key, the event always
/// waits in this process, because the events behind it must wait too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The total number of attempts; 0 counts as 1.
    pub attempts: u32,
    /// The pause after the first attempt.
    pub first: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Default for Retry {
    /// Returns a policy of five attempts, with pauses from 100 ms to 5 s.
    fn default() -> Self {
        Self { attempts: 5, first: Duration::from_millis(100), max: Duration::from_secs(5) }
    }
}

impl Retry {
    /// Returns a policy of one attempt: an event that fails is dead-lettered at once.
    #[must_use]
    pub const fn never() -> Self {
        Self { attempts: 1, first: Duration::ZERO, max: Duration::ZERO }
    }

    /// Returns the pause after attempt number `attempt` (from 1); `None` if that was the last.
    #[must_use]
    pub fn pause(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| doubled(self.first, self.max, attempt.saturating_sub(1)))
    }
}

/// The longest pause that an event waits in this process, unless its listener is ordered by a key.
pub(crate) const HERE: Duration = Duration::from_secs(1);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const STEPS: [u64; 17] = [
    1,
    2,
    5,
    10,
    30,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
];
/// The longest pause in a retry queue, in seconds.
const LONGEST: u64 = 30 * DAY;

/// Rounds a pause up to one of a few steps, because each step is a queue.
pub(crate) fn step(pause: Duration) -> Duration {
    let seconds = pause.as_secs().saturating_add(u64::from(pause.subsec_nanos() > 0));
    let next = STEPS.into_iter().find(|step| *step >= seconds);
    Duration::from_secs(next.unwrap_or_else(|| seconds.div_ceil(DAY).saturating_mul(DAY).min(LONGEST)))
}

/// Formats a step for a queue's name: `30s`, `2m`, `5h`, `30d`.
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only RabbitMQ has such queues"))]
pub(crate) fn step_name(step: Duration) -> String {
    match step.as_secs() {
        seconds if seconds % DAY == 0 => format!("{}d", seconds / DAY),
        seconds if seconds % HOUR == 0 => format!("{}h", seconds / HOUR),
        seconds if seconds % MINUTE == 0 => format!("{}m", seconds / MINUTE),
        seconds => format!("{seconds}s"),
    }
}

/// Returns `first`, doubled `times` times, at most `max`.
pub(crate) fn doubled(first: Duration, max: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_rounded_up_to_a_step() {
        for (pause, name) in [
            (Duration::from_millis(1), "1s"),
            (Duration::from_secs(1), "1s"),
            (Duration::from_millis(1001), "2s"),
            (Duration::from_secs(4), "5s"),
            (Duration::from_secs(31), "1m"),
            (Duration::from_secs(HOUR), "1h"),
            (Duration::from_secs(11 * HOUR), "1d"),
            (Duration::from_secs(6 * DAY + 1), "7d"),
            (Duration::MAX, "30d"),
        ] {
            let step = step(pause);
            assert_eq!(step_name(step), name);
            assert_eq!(super::step(step), step);
        }
    }

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
