//! A service in its own process, and the CPU time that it has used.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::measure::Result;

/// A service, killed when dropped.
pub(crate) struct Child {
    child: std::process::Child,
    pub(crate) address: String,
}

impl Child {
    /// Starts this program, serving with this variant.
    pub(crate) fn serving(way: &str) -> Result<Self> {
        Self::of(Command::new(std::env::current_exe()?).args(["--serve", way]))
    }

    /// Starts it with one worker, like a process of uvicorn.
    pub(crate) fn with_one_worker(way: &str) -> Result<Self> {
        Self::of(one_worker(Command::new(std::env::current_exe()?).args(["--serve", way])))
    }

    /// Starts a program that serves until its standard input ends, and prints its address in its first line.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().to_owned();
        if address.is_empty() {
            return Err("the service ended before it served".into());
        }
        Ok(Self { child, address })
    }

    /// The CPU time of all its threads, user and system, in nanoseconds, from Linux's scheduler.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // a thread that has just ended has no entry
            let Ok(stat) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanos += stat.split_whitespace().next().ok_or("no schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes tokio start one worker, however many cores there are.
pub(crate) fn one_worker(command: &mut Command) -> &mut Command {
    command.env("TOKIO_WORKER_THREADS", "1")
}

/// Prints the address of a service, and waits for the end of standard input.
pub(crate) async fn serving(address: std::net::SocketAddr) {
    println!("{address}");
    // on its own thread, so that the runtime doesn't block
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
}
