//! Starts producers and consumers as processes, and collects the lines that they print.

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Sender;
use std::thread;

/// The variable that names a child's bus.
const NAME: &str = "CHAOS_NAME";

/// A line that a child has printed, with the group of a consumer; the group of other children is empty.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) child: u32,
    pub(super) group: String,
    pub(super) text: String,
}

/// A running child. Dropping it kills the child.
pub(super) struct Running {
    child: Child,
    name: String,
}

/// The number of connections in a consumer's pool for the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    /// Ten connections.
    Usual,
    /// One connection, shared by all concurrent handlers.
    One,
}

/// Starts children.
pub(super) struct Nursery {
    program: PathBuf,
    port: u16,
    /// The URL of the database for the consumers' effects.
    postgres: String,
    /// The address to which consumers send traces and metrics.
    collector: String,
    /// The file for the children's logs.
    log: PathBuf,
    lines: Sender<Line>,
    /// The number of started children.
    count: AtomicU32,
}

impl Nursery {
    pub(super) fn new(
        program: PathBuf,
        port: u16,
        postgres: String,
        collector: String,
        log: PathBuf,
        lines: Sender<Line>,
    ) -> Self {
        Self { program, port, postgres, collector, log, lines, count: AtomicU32::new(0) }
    }

    pub(super) fn consumer(&self, group: &str, pool: Pool) -> io::Result<Running> {
        let pool = if pool == Pool::One { "1" } else { "10" };
        let mut command = self.command(&["consume", group, "--pool", pool])?;
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &self.collector);
        self.spawn(group, command)
    }

    pub(super) fn producer(&self, name: &str, events: u32, keys: u32, rate: u32) -> io::Result<Running> {
        let (events, keys, rate) = (events.to_string(), keys.to_string(), rate.to_string());
        let command = self.command(&["produce", name, "--events", &events, "--keys", &keys, "--rate", &rate])?;
        self.spawn("", command)
    }

    /// Starts a child with these arguments. It ends by itself, or when it is asked to.
    pub(super) fn helper(&self, args: &[&str]) -> io::Result<Running> {
        self.spawn("", self.command(args)?)
    }

    /// Creates the table of effects.
    pub(super) fn prepare(&self) -> io::Result<()> {
        self.helper(&["prepare"])?.end()
    }

    /// Returns the number of distinct effects, and the key and the number of each effect that occurred twice.
    pub(super) fn effects(&self) -> io::Result<(usize, HashSet<(String, usize)>)> {
        let output = self.ask("effects")?;
        let done = lines(&output, "effects").find_map(|words| words.first()?.parse().ok());
        let done = done.ok_or_else(|| io::Error::other(format!("the effects could not be counted: {output}")))?;
        let twice = lines(&output, "twice").filter_map(|words| match words[..] {
            [key, seq] => Some((key.to_owned(), seq.parse().ok()?)),
            _ => None,
        });
        Ok((done, twice.collect()))
    }

    /// Returns for each group the numbers of dead letters: different events that break their contract, and others.
    pub(super) fn dead(&self) -> io::Result<Vec<(usize, usize)>> {
        let output = self.ask("dead")?;
        let numbers = lines(&output, "dead").filter_map(|words| match words[..] {
            [_, broken, other] => broken.parse().ok().zip(other.parse().ok()),
            _ => None,
        });
        Ok(numbers.collect())
    }

    /// Runs a child that ends by itself, and returns its output.
    fn ask(&self, what: &str) -> io::Result<String> {
        let output = self.command(&[what])?.stdin(Stdio::null()).stdout(Stdio::piped()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Returns the command of a child with a name of its own.
    fn command(&self, args: &[&str]) -> io::Result<Command> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env("CHAOS_AMQP_HOST", "127.0.0.1")
            .env("CHAOS_AMQP_PORT", self.port.to_string())
            .env("CHAOS_AMQP_USER", "guest")
            .env("CHAOS_AMQP_PASS", "guest")
            .env("CHAOS_POSTGRES", &self.postgres)
            .env(NAME, format!("child-{number}"))
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .stderr(log);
        Ok(command)
    }

    fn spawn(&self, group: &str, mut command: Command) -> io::Result<Running> {
        let named = command.get_envs().find(|(variable, _)| *variable == NAME).and_then(|(_, name)| name);
        let name = named.unwrap_or_default().to_string_lossy().into_owned();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (lines, id, group) = (self.lines.clone(), child.id(), group.to_owned());
        thread::spawn(move || {
            for text in BufReader::new(out).lines().map_while(Result::ok) {
                if lines.send(Line { child: id, group: group.clone(), text }).is_err() {
                    return;
                }
            }
        });
        Ok(Running { child, name })
    }
}

/// Returns, for each line of a child's output that begins with the word `first`, its other words.
fn lines<'a>(output: &'a str, first: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
    output.lines().filter_map(move |line| {
        let mut words = line.split(' ');
        (words.next() == Some(first)).then(|| words.collect())
    })
}

impl Running {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the name of the child's bus on its connections.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Makes a producer emit as fast as it can, by a line on its standard input.
    pub(super) fn hurry(&mut self) {
        if let Some(stdin) = &mut self.child.stdin {
            // If the child is done already, the line can't be sent, and isn't needed.
            let _ = stdin.write_all(b"fast\n");
        }
    }

    /// Kills the child with SIGKILL.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Asks the child to end, by closing its standard input.
    pub(super) fn leave(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Asks the child to end, and waits until it has ended.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.leave();
        self.child.wait().map(drop)
    }

    /// Returns the child's peak memory, in KiB.
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
