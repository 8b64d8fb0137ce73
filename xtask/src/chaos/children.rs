//! The producers and consumers: processes of their own, whose lines come together in one place.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

/// A line that a child has said, with the group of a consumer.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) child: u32,
    pub(super) group: String,
    pub(super) text: String,
}

/// A running child. It is killed when this is dropped.
pub(super) struct Running {
    child: Child,
}

/// How children are started.
pub(super) struct Nursery {
    program: PathBuf,
    port: u16,
    /// The database of those that have effects.
    postgres: String,
    /// What they log.
    log: PathBuf,
    lines: Sender<Line>,
}

impl Nursery {
    pub(super) fn new(program: PathBuf, port: u16, postgres: String, log: PathBuf, lines: Sender<Line>) -> Self {
        Self { program, port, postgres, log, lines }
    }

    pub(super) fn consumer(&self, group: &str) -> io::Result<Running> {
        self.spawn(group, &["consume", group])
    }

    pub(super) fn producer(&self, name: &str, events: u32, keys: u32, rate: u32) -> io::Result<Running> {
        let (events, keys, rate) = (events.to_string(), keys.to_string(), rate.to_string());
        self.spawn("", &["produce", name, "--events", &events, "--keys", &keys, "--rate", &rate])
    }

    /// Makes the table of effects.
    pub(super) fn prepare(&self) -> io::Result<()> {
        self.spawn("", &["prepare"])?.end()
    }

    /// How many different effects there are, and how many were done again.
    pub(super) fn effects(&self) -> io::Result<(usize, usize)> {
        let told = self.command(&["effects"])?.stdout(Stdio::piped()).output()?.stdout;
        let told = String::from_utf8_lossy(&told);
        let words: Vec<_> = told.split_whitespace().collect();
        let numbers = match words[..] {
            ["effects", done, again] => done.parse().ok().zip(again.parse().ok()),
            _ => None,
        };
        numbers.ok_or_else(|| io::Error::other(format!("the effects could not be counted: {told}")))
    }

    fn command(&self, args: &[&str]) -> io::Result<Command> {
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env("CHAOS_AMQP_HOST", "127.0.0.1")
            .env("CHAOS_AMQP_PORT", self.port.to_string())
            .env("CHAOS_AMQP_USER", "guest")
            .env("CHAOS_AMQP_PASS", "guest")
            .env("CHAOS_POSTGRES", &self.postgres)
            .stderr(log);
        Ok(command)
    }

    fn spawn(&self, group: &str, args: &[&str]) -> io::Result<Running> {
        let mut child = self.command(args)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (lines, id, group) = (self.lines.clone(), child.id(), group.to_owned());
        thread::spawn(move || {
            for text in BufReader::new(out).lines().map_while(Result::ok) {
                if lines.send(Line { child: id, group: group.clone(), text }).is_err() {
                    return;
                }
            }
        });
        Ok(Running { child })
    }
}

impl Running {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says a line to it: a producer then goes as fast as it can.
    pub(super) fn hurry(&mut self) {
        if let Some(stdin) = &mut self.child.stdin {
            // If it is done already, it needs no hurry.
            let _ = stdin.write_all(b"fast\n");
        }
    }

    /// kill -9.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Lets it end by itself.
    pub(super) fn end(mut self) -> io::Result<()> {
        drop(self.child.stdin.take());
        self.child.wait().map(drop)
    }

    /// The most memory that it has held, in KiB.
    pub(super) fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
