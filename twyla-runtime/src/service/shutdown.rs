//! The deadline of a service's shutdown, shared by all its steps.

use std::time::Duration;

use tokio::time::Instant;

/// The maximum time for the last steps: stopping handlers, requeuing events, sending acks, closing the bus.
const LAST_STEPS: Duration = Duration::from_secs(5);
/// The minimum time for these steps, however short the deadline.
const AT_LEAST: Duration = Duration::from_secs(1);

/// The deadlines of a shutdown that begins now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShutdownDeadlines {
    /// When handlers must have ended.
    pub(crate) handlers: Instant,
    /// When the last steps must have ended; the rest is for closing the bus.
    pub(crate) steps: Instant,
    /// When the whole shutdown must have ended.
    pub(crate) all: Instant,
}

impl ShutdownDeadlines {
    /// Splits the time: handlers get four fifths of it, or all but five seconds if that is more.
    pub(crate) fn within(whole: Duration) -> Self {
        let last = (whole / 5).min(LAST_STEPS);
        let handlers = after(whole.saturating_sub(last));
        let last = last.max(AT_LEAST);
        Self { handlers, steps: handlers + steps(last), all: handlers + last }
    }

    /// Returns the deadlines for a shutdown whose handlers get no more time: the last steps begin now.
    pub(crate) fn hurry(self) -> Self {
        let now = Instant::now();
        let last = self.all.saturating_duration_since(self.handlers);
        let (steps, all) = (now + steps(last), now + last);
        Self { handlers: self.handlers.min(now), steps: self.steps.min(steps), all: self.all.min(all) }
    }
}

/// Returns four fifths of `last`, for the steps before the bus is closed.
fn steps(last: Duration) -> Duration {
    last - last / 5
}

/// Returns the instant after `duration`; at most thirty years from now, so that the clock can represent it.
fn after(duration: Duration) -> Instant {
    let most = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    Instant::now() + duration.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_step_has_its_share() {
        let now = Instant::now();
        let [millis, secs] = [Duration::from_millis, Duration::from_secs];
        for (whole, handlers, all) in [
            (secs(25), secs(20), secs(25)),
            (secs(60), secs(55), secs(60)),
            (secs(10), secs(8), secs(10)),
            (millis(50), millis(40), millis(1040)),
            (secs(0), secs(0), secs(1)),
        ] {
            let ending = ShutdownDeadlines::within(whole);
            assert_eq!((ending.handlers - now, ending.all - now), (handlers, all), "{whole:?}");
            let closing = ending.all - ending.steps;
            assert!(closing >= millis(200) && ending.steps > ending.handlers, "{whole:?}: {closing:?} for closing");
        }
        let ending = ShutdownDeadlines::within(Duration::MAX);
        assert!(ending.handlers > now + secs(1_000_000));
        assert_eq!(ending.hurry(), ShutdownDeadlines { handlers: now, steps: now + secs(4), all: now + secs(5) });
    }
}
