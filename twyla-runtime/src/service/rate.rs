//! The rate of a listener: how many events its handler gets in a period, as a token bucket.

use std::time::Duration;

/// The most events that a listener's handler gets in a period, counted by attempts: a retry counts again.
///
/// The events come evenly: with 100 events in a second, one each 10 ms. A tenth of the events of a period, at least one, may come at once
/// after a time with fewer: so in any second there are at most 110. Each member of a group that shares its rate may add the events of 20 ms.
///
/// With [`Dedupe::sql`](crate::Dedupe::sql) the rate is that of all members of the group, which share it in the database. Otherwise each
/// member has its own.
///
/// ```
/// use std::time::Duration;
/// use twyla_runtime::Rate;
///
/// assert_eq!(Rate::per_second(100), Rate { events: 100, per: Duration::from_secs(1) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number of events; 0 counts as 1.
    pub events: u32,
    /// The period.
    pub per: Duration,
}

impl Rate {
    /// Returns a rate of so many events in a second.
    #[must_use]
    pub const fn per_second(events: u32) -> Self {
        Self { events, per: Duration::from_secs(1) }
    }

    /// Returns the time of one event, rounded up.
    fn interval(self) -> Duration {
        let nanos = self.per.as_nanos().div_ceil(u128::from(self.events.max(1)));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Returns the number of tokens in a full bucket.
    pub(crate) fn capacity(self) -> u32 {
        (self.events / 10).max(1)
    }

    /// Returns what `events` events take out of a bucket from which no more than `largest` are ever taken at once.
    pub(crate) fn tokens(self, events: u32, largest: u32) -> Tokens {
        let capacity = self.capacity();
        let interval = self.interval();
        Tokens {
            cost: interval.saturating_mul(events),
            missing: interval.saturating_mul(capacity - events.min(capacity)),
            most: interval.saturating_mul(capacity.max(largest).max(events)),
        }
    }

    /// Returns how many events come in this time, at least one.
    pub(crate) fn events_in(self, time: Duration) -> u32 {
        let events = time.as_nanos().checked_div(self.interval().as_nanos()).unwrap_or(u128::MAX);
        u32::try_from(events).unwrap_or(u32::MAX).max(1)
    }
}

/// Tokens of a bucket, as the time in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// The tokens that are taken.
    pub(crate) cost: Duration,
    /// How many tokens of a full bucket may be missing before.
    pub(crate) missing: Duration,
    /// How many tokens may be missing at all: a stored bucket that lacks more was written at another rate, or by a clock that was ahead.
    pub(crate) most: Duration,
}

/// A bucket of tokens. A batch that takes more than a full bucket has leaves it in debt, so that the rate holds for batches of any size.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    /// When the bucket is full again.
    full_at: Duration,
}

impl Bucket {
    /// Takes tokens; returns how long until there are enough of them if they are missing now.
    pub(crate) fn take(&mut self, tokens: Tokens, now: Duration) -> Result<(), Duration> {
        self.full_at = self.full_at.min(now.saturating_add(tokens.most));
        let missing = self.full_at.saturating_sub(now);
        match missing.checked_sub(tokens.missing).filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                self.full_at = self.full_at.max(now).saturating_add(tokens.cost);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Returns when each of so many takes of `events` events succeeds, in milliseconds, if each begins after the one before it.
    fn times(rate: Rate, events: u32, takes: usize) -> Vec<u128> {
        let (mut bucket, mut now, mut times) = (Bucket::default(), Duration::ZERO, Vec::new());
        while times.len() < takes {
            match bucket.take(rate.tokens(events, events), now) {
                Ok(()) => times.push(now.as_millis()),
                Err(wait) => now += wait,
            }
        }
        times
    }

    #[test]
    fn events_come_evenly() {
        assert_eq!(times(Rate::per_second(4), 1, 6), [0, 250, 500, 750, 1000, 1250]);
        assert_eq!(times(Rate { events: 3, per: Duration::from_secs(60) }, 1, 3), [0, 20_000, 40_000]);
    }

    #[test]
    fn no_second_has_more_than_the_events_and_a_tenth() {
        let times = times(Rate::per_second(100), 1, 1000);
        for (at, begin) in times.iter().enumerate() {
            let events = times[at..].iter().take_while(|time| **time < begin + 1000).count();
            assert!(events <= 110, "{events} from {begin}");
        }
        assert_eq!(times.last(), Some(&9900));
    }

    #[test]
    fn a_quiet_time_fills_the_bucket_and_no_more() {
        let (mut bucket, rate) = (Bucket::default(), Rate::per_second(100));
        let later = Duration::from_secs(3600);
        assert_eq!((0..11).filter(|_| bucket.take(rate.tokens(1, 1), later).is_ok()).count(), 10);
        assert_eq!(bucket.take(rate.tokens(1, 1), later), Err(MILLI * 10));
    }

    #[test]
    fn batches_of_any_size_keep_the_rate() {
        assert_eq!(times(Rate::per_second(100), 500, 3), [0, 5000, 10_000]);
        // the first takes 8 of 10 tokens; the next begins when there are 8 again
        assert_eq!(times(Rate::per_second(100), 8, 3), [0, 60, 140]);
    }

    #[test]
    fn a_bucket_of_a_lower_rate_delays_a_higher_one_by_no_more_than_its_own_largest_batch() {
        let (mut bucket, slow, quick) =
            (Bucket::default(), Rate { events: 10, per: MILLI * 3_600_000 }, Rate::per_second(100));
        assert_eq!(bucket.take(slow.tokens(500, 500), Duration::ZERO), Ok(()));
        assert_eq!(bucket.take(quick.tokens(10, 500), Duration::ZERO), Err(MILLI * 5000));
        assert_eq!(
            bucket.take(quick.tokens(10, 500), MILLI * 4999),
            Err(MILLI),
            "the bound doesn't move with the clock"
        );
        assert_eq!(bucket.take(quick.tokens(10, 500), MILLI * 5000), Ok(()));
    }

    #[test]
    fn takes_any_rate() {
        assert_eq!(Rate { events: 0, per: Duration::from_secs(1) }.interval(), Duration::from_secs(1));
        let never = Rate { events: 1, per: Duration::MAX };
        assert_eq!(Bucket::default().take(never.tokens(u32::MAX, u32::MAX), Duration::MAX), Ok(()));
        assert_eq!(times(Rate { events: 1, per: Duration::ZERO }, 1, 2), [0, 0]);
        assert_eq!(Rate { events: 1, per: Duration::ZERO }.events_in(Duration::from_secs(1)), u32::MAX);
        assert_eq!(Rate::per_second(2).events_in(Duration::from_secs(90)), 180);
        assert_eq!(never.events_in(Duration::from_secs(1)), 1);
    }
}
