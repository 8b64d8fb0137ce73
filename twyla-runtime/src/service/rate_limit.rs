//! The rate limit of a running listener: its bucket is in this process, or in the database that the members of its group share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::dedupe::{Store, Trouble};
use super::rate::{Bucket, Rate};

/// A member takes the tokens of this time at once from a shared bucket, so that a high rate needs no query for each event.
const LEASE: Duration = Duration::from_millis(20);
/// How long taken tokens can be used: a member that takes them keeps no more than a second's from the others.
const LEASED_FOR: Duration = Duration::from_secs(1);

/// The rate limit of a listener.
pub(crate) struct RateLimit {
    rate: Rate,
    /// The most events that take their tokens at once.
    largest: u32,
    bucket: Mutex<Bucket>,
    shared: Option<SharedBucket>,
}

/// A bucket of all members of a group.
struct SharedBucket {
    store: Arc<dyn Store>,
    /// The queue's name.
    name: String,
    lease: tokio::sync::Mutex<Lease>,
}

/// Tokens that this member has taken and not used yet.
#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    events: u32,
    until: Duration,
}

impl Lease {
    /// Takes tokens; returns how many are missing, if there aren't enough.
    fn take(&mut self, events: u32, now: Duration) -> Result<(), u32> {
        let left = if now < self.until { self.events } else { 0 };
        match events.checked_sub(left) {
            Some(missing) if missing > 0 => Err(missing),
            _ => {
                self.events = left - events;
                Ok(())
            }
        }
    }
}

impl RateLimit {
    /// Returns the limit for the listener of a queue, which handles at most `largest` events at once. The bucket is that of the store, if
    /// it has buckets.
    pub(crate) fn new(rate: Rate, largest: u16, store: Option<&Arc<dyn Store>>, queue: &str) -> Self {
        let shared = store.filter(|store| store.has_buckets()).map(|store| SharedBucket {
            store: store.clone(),
            name: queue.to_owned(),
            lease: tokio::sync::Mutex::default(),
        });
        Self { rate, largest: largest.into(), bucket: Mutex::default(), shared }
    }

    /// Returns whether all members of the group have the rate together.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Takes the tokens of `events` events, and returns zero; or returns how long until there are enough. A test's clock has nothing
    /// to do with that of a database, so a test has a bucket of its own.
    pub(crate) async fn take(&self, events: u32, now: Duration, is_virtual: bool) -> Result<Duration, Trouble> {
        match &self.shared {
            Some(shared) if !is_virtual => shared.take(self.rate, events, self.largest, now).await,
            _ => {
                let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(bucket.take(self.rate.tokens(events, self.largest), now).err().unwrap_or_default())
            }
        }
    }
}

impl SharedBucket {
    async fn take(&self, rate: Rate, events: u32, largest: u32, now: Duration) -> Result<Duration, Trouble> {
        // held during the query, so that the tokens that are left are used once
        let mut lease = self.lease.lock().await;
        let Err(missing) = lease.take(events, now) else { return Ok(Duration::ZERO) };
        // no more than a bucket of a short period has
        let taken = rate.events_in(LEASE).min(rate.capacity()).max(missing);
        let wait = self.store.take(&self.name, rate.tokens(taken, largest)).await?;
        if wait.is_zero() {
            *lease = Lease { events: taken - missing, until: now + LEASED_FOR };
        }
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::future::BoxFuture;
    use crate::service::dedupe::{BatchClaimOutcome, BatchIdentity, ClaimOutcome, Identity};
    use crate::service::rate::Tokens;

    #[test]
    fn a_lease_is_used_once_and_not_after_its_time() {
        let mut lease = Lease { events: 3, until: LEASED_FOR };
        assert_eq!(lease.take(2, Duration::ZERO), Ok(()));
        assert_eq!(lease.take(2, Duration::ZERO), Err(1), "one is left");
        assert_eq!(lease.take(1, LEASED_FOR), Err(1), "its time is over");
        assert_eq!(lease.take(1, Duration::ZERO), Ok(()));
        assert_eq!(lease.take(1, Duration::ZERO), Err(1));
    }

    /// A store with one bucket, and the clock of the test.
    #[derive(Default)]
    struct OneBucket(Mutex<(Bucket, Duration)>);

    impl Store for OneBucket {
        fn begin<'a>(&'a self, _event: Identity<'a>) -> BoxFuture<'a, Result<ClaimOutcome, Trouble>> {
            Box::pin(std::future::pending())
        }

        fn begin_batch<'a>(&'a self, _batch: BatchIdentity<'a>) -> BoxFuture<'a, Result<BatchClaimOutcome, Trouble>> {
            Box::pin(std::future::pending())
        }

        fn has_buckets(&self) -> bool {
            true
        }

        fn take<'a>(&'a self, _bucket: &'a str, tokens: Tokens) -> BoxFuture<'a, Result<Duration, Trouble>> {
            let (bucket, now) = &mut *self.0.lock().unwrap();
            Box::pin(std::future::ready(Ok(bucket.take(tokens, *now).err().unwrap_or_default())))
        }
    }

    /// Returns how many events a member with a shared bucket handles until this time, in batches of `events`.
    async fn handled(rate: Rate, events: u16, until: Duration) -> u32 {
        let buckets = Arc::new(OneBucket::default());
        let store: Arc<dyn Store> = buckets.clone();
        let limit = RateLimit::new(rate, events, Some(&store), "queue");
        let (mut now, mut handled) = (Duration::ZERO, 0);
        while now <= until {
            buckets.0.lock().unwrap().1 = now;
            let wait = limit.take(events.into(), now, false).await.unwrap();
            if wait.is_zero() {
                handled += u32::from(events);
            }
            now += wait;
        }
        handled
    }

    #[tokio::test]
    async fn batches_of_any_size_get_the_shared_rate() {
        for (rate, events) in [(100, 1), (100, 500), (900, 10), (1500, 20), (1500, 29), (30_000, 300), (30_000, 601)] {
            let handled = handled(Rate::per_second(rate), events, Duration::from_secs(10)).await;
            // a bucket and a batch more at most, and a lease less
            let (most, least) = (rate * 10 + rate / 10 + u32::from(events), rate * 10 - rate / 50);
            assert!((least..=most).contains(&handled), "{handled} at {rate}/s in batches of {events}");
        }
    }

    #[tokio::test]
    async fn a_lease_has_no_more_tokens_than_the_bucket() {
        let rate = Rate { events: 100, per: Duration::from_millis(10) };
        assert_eq!(handled(rate, 1, Duration::ZERO).await, 10);
    }
}
