//! A service as a process of its own, and the processor time that it has taken.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::measure::Result;

/// A service, ended when this is dropped.
pub(crate) struct Child {
    child: std::process::Child,
    pub(crate) address: String,
}

impl Child {
    /// This program, serving that way.
    pub(crate) fn serving(way: &str) -> Result<Self> {
        Self::of(Command::new(std::env::current_exe()?).args(["--serve", way]))
    }

    /// The same with one worker, as a process of uvicorn has one.
    pub(crate) fn with_one_worker(way: &str) -> Result<Self> {
        Self::of(one_worker(Command::new(std::env::current_exe()?).args(["--serve", way])))
    }

    /// A program that serves until its standard input ends, and says where in its first line.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().to_owned();
        if address.is_empty() {
            return Err("the service has ended before it served".into());
        }
        Ok(Self { child, address })
    }

    /// What all its threads have taken of the processor, user and system, to the nanosecond: as Linux's scheduler counts.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // one that has ended in the meantime has nothing to tell
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

/// Has tokio's runtime of a program begin with one worker, however many cores there are.
pub(crate) fn one_worker(command: &mut Command) -> &mut Command {
    command.env("TOKIO_WORKER_THREADS", "1")
}

/// Tells where a service is, and waits for the end of standard input.
pub(crate) async fn serving(address: std::net::SocketAddr) {
    println!("{address}");
    // on a thread of its own, so that nothing of the runtime waits
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
}
