//! The log's lines on their way to a collector: in batches, bounded, tried again, and what is dropped is counted.

use std::env;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::blocking::Client;
use tracing_subscriber::fmt::MakeWriter;

use super::error::SetupError;
use super::otlp;

/// How many lines wait, at most.
const QUEUE: usize = 10_000;
/// How many lines are sent at once, at most.
const BATCH: usize = 500;
/// How long a batch waits for more.
const GATHER: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often it is told at most that lines were dropped: that is a line too, which may be dropped.
const TELL: Duration = Duration::from_secs(60);

/// Takes lines, and never waits.
#[derive(Clone)]
pub(crate) struct Sink {
    lines: SyncSender<Said>,
    dropped: Arc<AtomicU64>,
}

enum Said {
    Line(Vec<u8>),
    /// Answered once all that was said before is sent or dropped; nothing is tried again then.
    Flush(SyncSender<()>),
}

impl Sink {
    /// Where the variables say; nothing if they don't.
    pub(crate) fn from_env(url: &str, token: &str) -> Result<Option<Self>, SetupError> {
        let Some(address) = env::var(url).ok().filter(|value| !value.is_empty()) else { return Ok(None) };
        let should = "an https:// address, or an http:// address of this machine";
        let parsed = reqwest::Url::parse(&address).map_err(|_| SetupError::bad(url, &address, should))?;
        let is_local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && is_local) {
            return Err(SetupError::bad(url, &address, should));
        }
        let (lines, queue) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let token = env::var(token).ok().filter(|value| !value.is_empty());
        let sender = Sender { client: otlp::client()?, url: parsed, token, dropped: dropped.clone() };
        let thread = thread::Builder::new().name("twyla-log".to_owned());
        thread
            .spawn(move || sender.run(&queue))
            .map_err(|error| SetupError(format!("no thread for the log: {error}")))?;
        Ok(Some(Self { lines, dropped }))
    }

    /// Waits until what was said is sent, at most so long.
    pub(crate) fn flush(&self, most: Duration) {
        let (done, waiting) = sync_channel(1);
        if self.lines.try_send(Said::Flush(done)).is_ok() {
            let _ = waiting.recv_timeout(most);
        }
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// A line at a time, as the formatter writes them.
impl io::Write for &Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(Said::Line(line.to_vec())) {
            drop_lines(&self.dropped, 1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn drop_lines(dropped: &AtomicU64, count: u64) {
    dropped.fetch_add(count, Ordering::Relaxed);
    metrics::counter!("twyla_log_lines_dropped_total").increment(count);
}

/// The thread that sends.
struct Sender {
    client: Client,
    url: reqwest::Url,
    token: Option<String>,
    dropped: Arc<AtomicU64>,
}

/// What came of a batch.
enum Came {
    Sent,
    /// It may be taken later.
    Again,
    Refused,
}

impl Sender {
    fn run(self, queue: &Receiver<Said>) {
        let (mut told, mut next) = (0, Instant::now());
        while let Ok(said) = queue.recv() {
            let (batch, flush) = gather(said, queue);
            self.deliver(batch, flush.is_some());
            let dropped = self.dropped.load(Ordering::Relaxed);
            if dropped > told && Instant::now() >= next {
                tracing::warn!(lines = dropped - told, "lines of the log were dropped on their way to the collector");
                (told, next) = (dropped, Instant::now() + TELL);
            }
            if let Some(flush) = flush {
                let _ = flush.send(());
            }
        }
    }

    /// Sends a batch, again and again unless this is the end.
    fn deliver(&self, batch: Vec<Vec<u8>>, is_last: bool) {
        if batch.is_empty() {
            return;
        }
        let (lines, body) = (batch.len() as u64, batch.concat());
        let mut pause = FIRST_PAUSE;
        loop {
            match self.post(&body) {
                Came::Sent => return,
                Came::Again if !is_last => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Came::Again | Came::Refused => return drop_lines(&self.dropped, lines),
            }
        }
    }

    fn post(&self, body: &[u8]) -> Came {
        let mut request = self.client.post(self.url.clone()).header("content-type", "application/x-ndjson");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        match request.body(body.to_vec()).send() {
            Ok(answer) if answer.status().is_success() => Came::Sent,
            Ok(answer) => match answer.status() {
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Came::Again,
                status if status.is_server_error() => Came::Again,
                _ => Came::Refused,
            },
            Err(_) => Came::Again,
        }
    }
}

/// What comes within a while, as much as a batch has; and who waits for it to be sent.
fn gather(first: Said, queue: &Receiver<Said>) -> (Vec<Vec<u8>>, Option<SyncSender<()>>) {
    let until = Instant::now() + GATHER;
    let (mut batch, mut next) = (Vec::new(), Ok(first));
    loop {
        match next {
            Ok(Said::Line(line)) => batch.push(line),
            Ok(Said::Flush(done)) => return (batch, Some(done)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (batch, None),
        }
        if batch.len() == BATCH {
            return (batch, None);
        }
        next = queue.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}
