//! When the runtime went on last.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether the runtime goes on, and where lapin's bytes are.
#[derive(Debug)]
pub(crate) struct Alive {
    made: Instant,
    /// When the runtime went on last, in milliseconds since.
    at: AtomicU64,
    /// lapin has a whole number of frames.
    whole: AtomicBool,
}

impl Default for Alive {
    fn default() -> Self {
        Self { made: Instant::now(), at: AtomicU64::new(0), whole: AtomicBool::new(true) }
    }
}

impl Alive {
    pub(crate) fn has_whole_frames(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }

    /// Whether lapin has a whole number of frames.
    pub(crate) fn whole(&self, whole: bool) {
        self.whole.store(whole, Ordering::Release);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn goes_on(&self) {
        self.at.store(self.now(), Ordering::Relaxed);
    }

    /// For how long the runtime has not gone on.
    pub(crate) fn still(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.at.load(Ordering::Relaxed)))
    }
}
