//! The cost of a command, such as cargo's: CPU time, which a busy machine changes less than the time on the clock.

use std::io;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Runs a command, and returns the CPU seconds of it and of its child processes.
///
/// # Errors
/// If it can't be started, or doesn't succeed.
pub fn seconds(command: &mut Command) -> io::Result<f64> {
    let used = || -> io::Result<f64> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
    };
    let before = used()?;
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{command:?} did not succeed")));
    }
    Ok(used()? - before)
}
