//! A child's report: a line on standard output, and the child's error type.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// Any error.
pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Returns the microseconds since 1970.
pub(crate) fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros())
}

/// Prints a line in one write, so that it is complete if the process is killed afterwards.
pub(crate) fn report(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
