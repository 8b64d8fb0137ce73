//! The clock of the benches: processor time of this process, what passes on the wall, and memory.
#![forbid(unsafe_code)]

use std::io;
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What a work took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// Of the processor, user and system, all threads.
    pub cpu: Duration,
    /// On the wall.
    pub wall: Duration,
}

/// Since when.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    cpu: Duration,
    wall: Instant,
}

impl Clock {
    /// From now on.
    #[must_use]
    pub fn start() -> Self {
        Self { cpu: used(), wall: Instant::now() }
    }

    /// Until now.
    #[must_use]
    pub fn took(&self) -> Took {
        Took { cpu: used() - self.cpu, wall: self.wall.elapsed() }
    }
}

/// The most memory that this process has held, in KiB.
#[must_use]
pub fn peak_kib() -> i64 {
    usage().max_rss()
}

/// How much memory this process has now, in KiB.
///
/// # Errors
/// Where `/proc` can't be read.
pub fn resident_kib() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    resident.ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}

fn used() -> Duration {
    let of = |time: TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs()) + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    let usage = usage();
    of(usage.user_time()) + of(usage.system_time())
}

fn usage() -> Usage {
    // it fails only for a wrong argument (getrusage(2))
    getrusage(UsageWho::RUSAGE_SELF).expect("the usage of this process")
}
