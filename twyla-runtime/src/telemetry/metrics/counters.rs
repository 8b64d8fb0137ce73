//! What happens with each event, tallied by thread and given to the recorder many at a time.
//!
//! A recorder's figures are memory that all threads write to, at ten places for one event: that takes longer than to read
//! an event's envelope. So each thread has a batch of its own, which is given away when it is full, once a second, when
//! somebody asks, and at the end.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// How many threads have a batch of their own; further ones share.
const SHARDS: usize = 16;
/// After how many times a batch is given away.
const FULL: usize = 128;
/// How often what there is of a batch is given away.
const EVERY: Duration = Duration::from_secs(1);

/// What has happened on a thread.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) begun: u64,
    pub(crate) ended: u64,
    /// How often it came to what, in the order of the figures that it goes to.
    pub(crate) came: [u64; 3],
    pub(crate) took: Vec<Duration>,
}

impl Batch {
    fn clear(&mut self) {
        (self.begun, self.ended, self.came) = (0, 0, [0; 3]);
        self.took.clear();
    }
}

/// The figures that a batch goes to.
pub(crate) trait Figures: Send + Sync + 'static {
    fn add(&self, batch: &Batch);
}

/// Batches on their way to their figures. Clones share them.
pub(crate) struct Tally<F: Figures>(Arc<Shards<F>>);

struct Shards<F: Figures> {
    shards: [Shard; SHARDS],
    figures: F,
}

/// On a line of its own in the processor's caches.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Batch>);

impl<F: Figures> Tally<F> {
    pub(crate) fn into(figures: F) -> Self {
        let shards = Arc::new(Shards { shards: Default::default(), figures });
        let weak = Arc::downgrade(&shards);
        register(weak);
        Self(shards)
    }

    /// Notes something in the thread's batch.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Batch)) {
        let Some(shard) = self.0.shards.get(shard()) else { return };
        let mut batch = shard.lock();
        note(&mut batch);
        if batch.took.len() >= FULL {
            self.0.give(&mut batch);
        }
    }

    pub(crate) fn figures(&self) -> &F {
        &self.0.figures
    }
}

impl<F: Figures> Shards<F> {
    fn give(&self, batch: &mut Batch) {
        self.figures.add(batch);
        batch.clear();
    }
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which batch is this thread's.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    // a thread that ends may have given its own away
    OWN.try_with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        own.get()
    })
    .unwrap_or_default()
}

/// Something that holds back what others shall see.
pub(crate) trait Settle: Send + Sync {
    fn settle(&self);
}

impl<F: Figures> Settle for Shards<F> {
    fn settle(&self) {
        for shard in &self.shards {
            self.give(&mut shard.lock());
        }
    }
}

impl<F: Figures> Drop for Shards<F> {
    fn drop(&mut self) {
        self.settle();
    }
}

/// All that holds something back.
struct All {
    members: Vec<Weak<dyn Settle>>,
    ticks: bool,
}

static ALL: Mutex<All> = Mutex::new(All { members: Vec::new(), ticks: false });

impl All {
    fn alive(&mut self) -> Vec<Arc<dyn Settle>> {
        self.members.retain(|member| member.strong_count() > 0);
        self.members.iter().filter_map(Weak::upgrade).collect()
    }
}

fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on it is settled, until it is gone.
pub(crate) fn register(member: Weak<dyn Settle>) {
    let mut all = all();
    all.members.push(member);
    if !all.ticks {
        // where there can be no thread, batches are still given away when they are full, and when somebody asks
        all.ticks = thread::Builder::new().name("twyla-figures".to_owned()).spawn(tick).is_ok();
    }
}

/// Settles all that there is, now.
#[cfg(feature = "telemetry")]
pub(crate) fn settle() {
    // with no lock held: who is the last to hold one of them drops it here
    let members = all().alive();
    members.iter().for_each(|member| member.settle());
}

/// Settles all that there is, for as long as there is something.
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
        members.iter().for_each(|member| member.settle());
    }
}

impl<F: Figures> Clone for Tally<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: Figures> fmt::Debug for Tally<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tally")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    struct Told(Sender<(u64, usize)>);

    impl Figures for Told {
        fn add(&self, batch: &Batch) {
            if batch.begun > 0 || !batch.took.is_empty() {
                let _ = self.0.send((batch.begun, batch.took.len()));
            }
        }
    }

    fn tally() -> (Tally<Told>, Receiver<(u64, usize)>) {
        let (sender, receiver) = channel();
        (Tally::into(Told(sender)), receiver)
    }

    #[test]
    fn what_is_noted_is_told_once_a_second_at_the_latest() {
        let (tally, told) = tally();
        tally.note(|batch| batch.begun += 1);
        assert_eq!(told.recv(), Ok((1, 0)));
    }

    #[test]
    fn nothing_is_lost_or_told_twice() {
        let (tally, told) = tally();
        let threads: Vec<_> = (0..2 * SHARDS)
            .map(|_| {
                let tally = tally.clone();
                thread::spawn(move || {
                    for _ in 0..1000 {
                        tally.note(|batch| {
                            batch.begun += 1;
                            batch.took.push(Duration::ZERO);
                        });
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // what is left of batches, and then the sender, goes with the last of them
        drop(tally);
        let all = told.iter().fold((0, 0), |(begun, took), (b, t)| (begun + b, took + t));
        assert_eq!(all, (2 * SHARDS as u64 * 1000, 2 * SHARDS * 1000));
    }
}
