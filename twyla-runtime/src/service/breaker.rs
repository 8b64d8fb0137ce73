//! The circuit breaker of a listener: when its failures make it pause, and what ends the pause.

use std::collections::VecDeque;
use std::time::Duration;

/// When a listener pauses: after so many failed attempts within a time.
///
/// During the pause its events wait. The first event after the pause decides: if it is handled, the listener goes on; if it fails, the
/// listener pauses again. A failure is an attempt that ends with an error or a panic, so each retry that fails counts. An event that breaks
/// its contract, [`Fail::park`](crate::Fail::park) and [`Fail::drop`](crate::Fail::drop) are no failures: they are judgements on one
/// event. Each member of a group pauses by itself.
///
/// ```
/// use std::time::Duration;
/// use twyla_runtime::PauseAfter;
///
/// let after = PauseAfter { failures: 20, within: Duration::from_secs(60), pause: Duration::from_secs(30) };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PauseAfter {
    /// The number of failures; 0 counts as 1.
    pub failures: u16,
    /// The time within which they happen.
    pub within: Duration,
    /// How long the listener pauses.
    pub pause: Duration,
}

/// The state of a circuit breaker. Times are those of the listener's clock.
#[derive(Debug)]
pub(crate) struct Breaker {
    after: PauseAfter,
    state: BreakerState,
}

#[derive(Debug, PartialEq, Eq)]
enum BreakerState {
    /// Events are handled. Has the times of the last failures, the oldest first.
    Closed(VecDeque<Duration>),
    /// The listener pauses until this time.
    Open(Duration),
    /// The next event decides.
    HalfOpen,
}

/// What an event meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Closed,
    /// The event decides whether the listener goes on. Until then, no other event may enter.
    HalfOpen,
    /// The listener pauses for this time.
    Open(Duration),
}

impl Breaker {
    pub(crate) fn new(after: PauseAfter) -> Self {
        Self { after, state: BreakerState::Closed(VecDeque::new()) }
    }

    /// Returns whether an event may be handled now.
    pub(crate) fn enter(&mut self, now: Duration) -> Entry {
        match &self.state {
            BreakerState::Closed(_) => Entry::Closed,
            BreakerState::Open(until) if now < *until => Entry::Open(*until - now),
            BreakerState::Open(_) | BreakerState::HalfOpen => {
                self.state = BreakerState::HalfOpen;
                Entry::HalfOpen
            }
        }
    }

    /// Returns whether events are handled one beside another.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, BreakerState::Closed(_))
    }

    /// Reports that an event was handled; `decides` if it has entered half-open. Returns whether the listener goes on now.
    pub(crate) fn handled(&mut self, decides: bool) -> bool {
        let closes = decides && self.state == BreakerState::HalfOpen;
        if closes {
            self.state = BreakerState::Closed(VecDeque::new());
        }
        closes
    }

    /// Reports that an attempt failed; `decides` if its event has entered half-open. Returns whether the listener pauses from now on.
    /// The failure of an attempt that began before the pause changes nothing.
    pub(crate) fn failed(&mut self, decides: bool, now: Duration) -> bool {
        let opens = match &mut self.state {
            BreakerState::Closed(failures) => {
                let most = usize::from(self.after.failures.max(1));
                failures.push_back(now);
                if failures.len() > most {
                    failures.pop_front();
                }
                let first = failures.front().copied().unwrap_or_default();
                failures.len() == most && now.saturating_sub(first) <= self.after.within
            }
            BreakerState::HalfOpen => decides,
            BreakerState::Open(_) => false,
        };
        if opens {
            self.state = BreakerState::Open(now.saturating_add(self.after.pause));
        }
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker(failures: u16) -> Breaker {
        Breaker::new(PauseAfter { failures, within: SECOND * 60, pause: SECOND * 30 })
    }

    #[test]
    fn pauses_after_so_many_failures_within_the_time() {
        let mut breaker = breaker(3);
        assert!(!breaker.failed(false, SECOND));
        assert!(!breaker.failed(false, SECOND * 2));
        assert!(!breaker.handled(false), "a success in between changes nothing");
        // the first is out of the time
        assert!(!breaker.failed(false, SECOND * 62));
        assert_eq!(breaker.enter(SECOND * 62), Entry::Closed);
        assert!(!breaker.failed(false, SECOND * 63));
        assert!(breaker.failed(false, SECOND * 122));
        assert_eq!(breaker.enter(SECOND * 122), Entry::Open(SECOND * 30));
        assert_eq!(breaker.enter(SECOND * 151), Entry::Open(SECOND));
    }

    #[test]
    fn the_event_after_the_pause_decides() {
        let mut breaker = breaker(1);
        assert!(breaker.failed(false, SECOND));
        assert_eq!(breaker.enter(SECOND * 31), Entry::HalfOpen);
        assert!(breaker.failed(true, SECOND * 40));
        assert_eq!(breaker.enter(SECOND * 69), Entry::Open(SECOND));
        assert_eq!(breaker.enter(SECOND * 70), Entry::HalfOpen);
        assert!(breaker.handled(true));
        assert_eq!(breaker.enter(SECOND * 70), Entry::Closed);
    }

    #[test]
    fn an_event_that_decides_nothing_lets_the_next_one_decide() {
        let mut breaker = breaker(1);
        assert!(breaker.failed(false, SECOND));
        assert_eq!(breaker.enter(SECOND * 31), Entry::HalfOpen);
        assert_eq!(breaker.enter(SECOND * 32), Entry::HalfOpen);
    }

    #[test]
    fn attempts_that_began_before_the_pause_change_nothing() {
        let mut breaker = breaker(1);
        assert!(breaker.failed(false, SECOND));
        assert!(!breaker.failed(false, SECOND * 2) && !breaker.handled(false));
        assert_eq!(breaker.enter(SECOND * 2), Entry::Open(SECOND * 29));
        assert_eq!(breaker.enter(SECOND * 31), Entry::HalfOpen);
        assert!(!breaker.failed(false, SECOND * 32) && !breaker.handled(false));
        assert_eq!(breaker.enter(SECOND * 32), Entry::HalfOpen);
    }

    #[test]
    fn a_new_count_begins_after_a_pause() {
        let mut breaker = breaker(2);
        assert!(!breaker.failed(false, SECOND) && breaker.failed(false, SECOND));
        assert_eq!(breaker.enter(SECOND * 31), Entry::HalfOpen);
        assert!(breaker.handled(true));
        assert!(!breaker.failed(false, SECOND * 31) && breaker.failed(false, SECOND * 31));
    }

    #[test]
    fn takes_any_times() {
        let mut breaker = Breaker::new(PauseAfter { failures: 0, within: Duration::ZERO, pause: Duration::MAX });
        assert!(breaker.failed(false, SECOND));
        assert_eq!(breaker.enter(SECOND), Entry::Open(Duration::MAX - SECOND));
    }
}
