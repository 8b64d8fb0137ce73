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
    lease: Mutex<Lease>,
}

/// Tokens that this member has taken and not used yet.
#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    events: u32,
    until: Duration,
}

impl Lease {
    fn take(&mut self, events: u32, now: Duration) -> bool {
        let is_enough = self.events >= events && now < self.until;
        if is_enough {
            self.events -= events;
        }
        is_enough
    }
}

impl RateLimit {
    /// Returns the limit for the listener of a queue, which handles at most `largest` events at once. The bucket is that of the store, if
    /// it has buckets.
    pub(crate) fn new(rate: Rate, largest: u16, store: Option<&Arc<dyn Store>>, queue: &str) -> Self {
        let shared = store.filter(|store| store.has_buckets()).map(|store| SharedBucket {
            store: store.clone(),
            name: queue.to_owned(),
            lease: Mutex::default(),
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
        if self.lease.lock().unwrap_or_else(PoisonError::into_inner).take(events, now) {
            return Ok(Duration::ZERO);
        }
        let taken = rate.events_in(LEASE).max(events);
        let wait = self.store.take(&self.name, rate.tokens(taken, largest)).await?;
        if wait.is_zero() {
            let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
            *lease = Lease { events: taken - events, until: now + LEASED_FOR };
        }
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_used_once_and_not_after_its_time() {
        let mut lease = Lease { events: 3, until: LEASED_FOR };
        assert!(lease.take(2, Duration::ZERO));
        assert!(!lease.take(2, Duration::ZERO), "one is left");
        assert!(!lease.take(1, LEASED_FOR), "its time is over");
        assert!(lease.take(1, Duration::ZERO));
        assert!(!lease.take(1, Duration::ZERO));
    }
}
