//! Counters per thread, flushed to the recorder in batches.
//!
//! The recorder's atomics are shared by all threads, and one event updates ten of them: that costs more than parsing the
//! event's envelope. Therefore each thread counts in a batch. A batch is flushed when it is full, once a second, when the metrics
//! are read, and on drop.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// The number of batches; if there are more threads, threads share batches.
const SHARDS: usize = 16;
/// The number of durations at which a batch is flushed.
const FULL: usize = 128;
/// The flush interval.
const EVERY: Duration = Duration::from_secs(1);

/// Counts and durations that aren't flushed yet.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) begun: u64,
    pub(crate) ended: u64,
    /// Counts by outcome, in the order that the metric set defines.
    pub(crate) outcomes: [u64; 3],
    pub(crate) durations: Vec<Duration>,
}

impl Batch {
    fn clear(&mut self) {
        (self.begun, self.ended, self.outcomes) = (0, 0, [0; 3]);
        self.durations.clear();
    }
}

/// A set of metrics that batches are added to.
pub(crate) trait MetricSet: Send + Sync + 'static {
    fn add(&self, batch: &Batch);
}

/// Batched updates to a metric set. Clones share the batches.
pub(crate) struct Counters<F: MetricSet>(Arc<Shards<F>>);

struct Shards<F: MetricSet> {
    shards: [Shard; SHARDS],
    metrics: F,
}

/// A batch, aligned so that no two batches share a cache line.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Batch>);

impl<F: MetricSet> Counters<F> {
    pub(crate) fn into(metrics: F) -> Self {
        let shards = Arc::new(Shards { shards: Default::default(), metrics });
        let weak = Arc::downgrade(&shards);
        register(weak);
        Self(shards)
    }

    /// Updates this thread's batch, and flushes it when it is full.
    pub(crate) fn record(&self, record: impl FnOnce(&mut Batch)) {
        let Some(shard) = self.0.shards.get(shard()) else { return };
        let mut batch = shard.lock();
        record(&mut batch);
        if batch.durations.len() >= FULL {
            self.0.give(&mut batch);
        }
    }

    pub(crate) fn metrics(&self) -> &F {
        &self.0.metrics
    }
}

impl<F: MetricSet> Shards<F> {
    fn give(&self, batch: &mut Batch) {
        self.metrics.add(batch);
        batch.clear();
    }
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the index of this thread's batch.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    // fails while the thread exits, after the thread-local is destroyed
    OWN.try_with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        own.get()
    })
    .unwrap_or_default()
}

/// A buffer that the flush thread empties regularly.
pub(crate) trait Flush: Send + Sync {
    fn flush(&self);
}

impl<F: MetricSet> Flush for Shards<F> {
    fn flush(&self) {
        for shard in &self.shards {
            self.give(&mut shard.lock());
        }
    }
}

impl<F: MetricSet> Drop for Shards<F> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// All live buffers, and whether the flush thread runs.
struct FlushRegistry {
    members: Vec<Weak<dyn Flush>>,
    ticks: bool,
}

static REGISTRY: Mutex<FlushRegistry> = Mutex::new(FlushRegistry { members: Vec::new(), ticks: false });

impl FlushRegistry {
    fn alive(&mut self) -> Vec<Arc<dyn Flush>> {
        self.members.retain(|member| member.strong_count() > 0);
        self.members.iter().filter_map(Weak::upgrade).collect()
    }
}

fn all() -> MutexGuard<'static, FlushRegistry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a buffer, which is flushed regularly until it is dropped.
pub(crate) fn register(member: Weak<dyn Flush>) {
    let mut all = all();
    all.members.push(member);
    if !all.ticks {
        // without a thread, batches are still flushed when they are full and when the metrics are read
        all.ticks = thread::Builder::new().name("twyla-metrics".to_owned()).spawn(tick).is_ok();
    }
}

/// Flushes all buffers now.
#[cfg(feature = "telemetry")]
pub(crate) fn flush() {
    // flush outside the lock, because this may drop the last reference to a buffer
    let members = all().alive();
    members.iter().for_each(|member| member.flush());
}

/// Flushes all buffers once a second; returns when all of them are dropped.
fn tick() {
    loop {
        thread::sleep(EVERY);
        let members = {
            let mut all = all();
            let members = all.alive();
            all.ticks = !members.is_empty();
            members
        };
        if members.is_empty() {
            return;
        }
        members.iter().for_each(|member| member.flush());
    }
}

impl<F: MetricSet> Clone for Counters<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: MetricSet> fmt::Debug for Counters<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    struct RecordedBatches(Sender<(u64, usize)>);

    impl MetricSet for RecordedBatches {
        fn add(&self, batch: &Batch) {
            if batch.begun > 0 || !batch.durations.is_empty() {
                let _ = self.0.send((batch.begun, batch.durations.len()));
            }
        }
    }

    fn counters() -> (Counters<RecordedBatches>, Receiver<(u64, usize)>) {
        let (sender, receiver) = channel();
        (Counters::into(RecordedBatches(sender)), receiver)
    }

    #[test]
    fn records_are_flushed_once_a_second_at_the_latest() {
        let (counters, recorded) = counters();
        counters.record(|batch| batch.begun += 1);
        assert_eq!(recorded.recv(), Ok((1, 0)));
    }

    #[test]
    fn no_record_is_lost_or_counted_twice() {
        let (counters, recorded) = counters();
        let threads: Vec<_> = (0..2 * SHARDS)
            .map(|_| {
                let counters = counters.clone();
                thread::spawn(move || {
                    for _ in 0..1000 {
                        counters.record(|batch| {
                            batch.begun += 1;
                            batch.durations.push(Duration::ZERO);
                        });
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // dropping the last clone flushes the rest and closes the channel
        drop(counters);
        let all = recorded.iter().fold((0, 0), |(begun, durations), (b, t)| (begun + b, durations + t));
        assert_eq!(all, (2 * SHARDS as u64 * 1000, 2 * SHARDS * 1000));
    }
}
