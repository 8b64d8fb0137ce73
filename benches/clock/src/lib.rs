//! The clock of the benches: CPU time, wall time and memory of this process.
#![forbid(unsafe_code)]

use std::io;
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// The cost of a work.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// CPU time, user and system, of all threads.
    pub cpu: Duration,
    /// Wall time.
    pub wall: Duration,
}

/// A running measurement.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    cpu: Duration,
    wall: Instant,
}

impl Clock {
    /// Starts a measurement.
    #[must_use]
    pub fn start() -> Self {
        Self { cpu: used(), wall: Instant::now() }
    }

    /// The cost so far.
    #[must_use]
    pub fn took(&self) -> Took {
        Took { cpu: used() - self.cpu, wall: self.wall.elapsed() }
    }
}

/// The peak memory of this process, in KiB.
#[must_use]
pub fn peak_kib() -> i64 {
    usage().max_rss()
}

/// The current memory of this process, in KiB.
///
/// # Errors
/// If `/proc` can't be read.
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
    // fails only for an invalid argument (getrusage(2))
    getrusage(UsageWho::RUSAGE_SELF).expect("the usage of this process")
}
