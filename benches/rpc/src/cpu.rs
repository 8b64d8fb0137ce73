//! The callers' clock: processor time of this process, and what passes on the wall.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What a work took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    /// Of the processor, user and system, all threads.
    pub(crate) cpu: Duration,
    /// On the wall.
    pub(crate) wall: Duration,
}

/// Since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    cpu: Duration,
    wall: Instant,
}

impl Clock {
    /// From now on.
    #[must_use]
    pub(crate) fn start() -> Self {
        Self { cpu: used(), wall: Instant::now() }
    }

    /// Until now.
    #[must_use]
    pub(crate) fn took(&self) -> Took {
        Took { cpu: used() - self.cpu, wall: self.wall.elapsed() }
    }
}

fn used() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage");
    let of = |time: TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs()) + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    of(usage.user_time()) + of(usage.system_time())
}
