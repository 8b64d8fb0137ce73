//! The time of the runtime's last progress.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether the runtime makes progress, and whether lapin's input ends at a frame boundary.
#[derive(Debug)]
pub(crate) struct Liveness {
    made: Instant,
    /// The runtime's last progress, in milliseconds since `made`.
    at: AtomicU64,
    /// Whether lapin has received a whole number of frames.
    whole: AtomicBool,
}

impl Default for Liveness {
    fn default() -> Self {
        Self { made: Instant::now(), at: AtomicU64::new(0), whole: AtomicBool::new(true) }
    }
}

impl Liveness {
    pub(crate) fn has_whole_frames(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }

    /// Sets whether lapin has received a whole number of frames.
    pub(crate) fn whole(&self, whole: bool) {
        self.whole.store(whole, Ordering::Release);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn goes_on(&self) {
        self.at.store(self.now(), Ordering::Relaxed);
    }

    /// Returns how long the runtime has made no progress.
    pub(crate) fn still(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.at.load(Ordering::Relaxed)))
    }
}
