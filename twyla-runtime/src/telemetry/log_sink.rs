//! Sends log lines to a collector over HTTP: in batches, from a bounded queue, with retries. Dropped lines are counted.

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

/// The capacity of the queue, in lines.
const QUEUE: usize = 10_000;
/// The maximum number of lines in one request.
const BATCH: usize = 500;
/// How long a batch waits for further lines.
const GATHER: Duration = Duration::from_secs(1);
/// How a batch is retried: for about ten minutes, so that a batch that the collector never accepts doesn't hold up all others.
const RETRIES: Retries = Retries { attempts: 25, first: Duration::from_millis(500), longest: Duration::from_secs(30) };
/// The shortest time between two reports of dropped lines: a report is a log line too, and may be dropped itself.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// The sending end of the queue; never blocks.
#[derive(Clone)]
pub(crate) struct LogSink {
    lines: SyncSender<SinkMessage>,
    dropped: Arc<AtomicU64>,
}

enum SinkMessage {
    Line(Vec<u8>),
    /// Answered once all earlier lines are sent or dropped; the last batch isn't retried.
    Flush(SyncSender<()>),
}

impl LogSink {
    /// Starts the sink if the environment variable `url` has an address; `token` is the variable with the token. Else `None`.
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
        let sender =
            LogSender { client: otlp::client()?, url: parsed, token, dropped: dropped.clone(), retries: RETRIES };
        let thread = thread::Builder::new().name("twyla-log".to_owned());
        thread
            .spawn(move || sender.run(&queue))
            .map_err(|error| SetupError(format!("can't start the thread that sends the log: {error}")))?;
        Ok(Some(Self { lines, dropped }))
    }

    /// Waits until all lines are sent or dropped, for at most `timeout`; returns at once if the queue is full.
    pub(crate) fn flush(&self, timeout: Duration) {
        let (done, waiting) = sync_channel(1);
        if self.lines.try_send(SinkMessage::Flush(done)).is_ok() {
            let _ = waiting.recv_timeout(timeout);
        }
    }
}

impl<'a> MakeWriter<'a> for LogSink {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// Each call of `write` gets one whole line.
impl io::Write for &LogSink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(SinkMessage::Line(line.to_vec())) {
            count_dropped(&self.dropped, 1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn count_dropped(dropped: &AtomicU64, count: u64) {
    dropped.fetch_add(count, Ordering::Relaxed);
    metrics::counter!("twyla_log_lines_dropped_total").increment(count);
}

/// The state of the thread that sends batches.
struct LogSender {
    client: Client,
    url: reqwest::Url,
    token: Option<String>,
    dropped: Arc<AtomicU64>,
    retries: Retries,
}

/// The number of attempts to send a batch, and the pauses between them, which double.
#[derive(Clone, Copy)]
struct Retries {
    attempts: u32,
    first: Duration,
    longest: Duration,
}

/// The result of one request.
enum PostOutcome {
    Sent,
    /// The collector may accept the batch later.
    RetryLater,
    Refused,
}

impl LogSender {
    fn run(self, queue: &Receiver<SinkMessage>) {
        let (mut reported, mut next) = (0, Instant::now());
        while let Ok(message) = queue.recv() {
            let (batch, flush) = gather(message, queue);
            self.deliver(batch, flush.is_some());
            let dropped = self.dropped.load(Ordering::Relaxed);
            if dropped > reported && Instant::now() >= next {
                tracing::warn!(
                    lines = dropped - reported,
                    "log lines were dropped: the queue was full, or the collector did not accept them"
                );
                (reported, next) = (dropped, Instant::now() + REPORT_EVERY);
            }
            if let Some(flush) = flush {
                let _ = flush.send(());
            }
        }
    }

    /// Sends a batch. Retries until the collector accepts or refuses it, or until no attempt is left; the last batch is sent only
    /// once. A batch that isn't accepted is dropped.
    fn deliver(&self, batch: Vec<Vec<u8>>, is_last: bool) {
        if batch.is_empty() {
            return;
        }
        let (lines, body) = (batch.len() as u64, batch.concat());
        let Retries { attempts, first: mut pause, longest } = self.retries;
        for attempt in 1.. {
            match self.post(&body) {
                PostOutcome::Sent => return,
                PostOutcome::RetryLater if !is_last && attempt < attempts => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(longest);
                }
                PostOutcome::RetryLater | PostOutcome::Refused => return count_dropped(&self.dropped, lines),
            }
        }
    }

    fn post(&self, body: &[u8]) -> PostOutcome {
        let mut request = self.client.post(self.url.clone()).header("content-type", "application/x-ndjson");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        match request.body(body.to_vec()).send() {
            Ok(answer) if answer.status().is_success() => PostOutcome::Sent,
            Ok(answer) => match answer.status() {
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => PostOutcome::RetryLater,
                status if status.is_server_error() => PostOutcome::RetryLater,
                _ => PostOutcome::Refused,
            },
            Err(_) => PostOutcome::RetryLater,
        }
    }
}

/// Collects lines until the batch is full, [`GATHER`] has passed, or a flush is requested.
fn gather(first: SinkMessage, queue: &Receiver<SinkMessage>) -> (Vec<Vec<u8>>, Option<SyncSender<()>>) {
    let until = Instant::now() + GATHER;
    let (mut batch, mut next) = (Vec::new(), Ok(first));
    loop {
        match next {
            Ok(SinkMessage::Line(line)) => batch.push(line),
            Ok(SinkMessage::Flush(done)) => return (batch, Some(done)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (batch, None),
        }
        if batch.len() == BATCH {
            return (batch, None);
        }
        next = queue.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_batch_that_is_never_accepted_is_dropped_after_its_attempts() {
        let collector = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = collector.local_addr().unwrap();
        let url = format!("http://{address}").parse().unwrap();
        let answering = thread::spawn(move || {
            let mut batches = 0;
            loop {
                let (mut stream, _) = collector.accept().unwrap();
                let mut head = [0; 4];
                stream.read_exact(&mut head).unwrap();
                if &head != b"POST" {
                    return batches;
                }
                batches += 1;
                let _ = stream.read(&mut [0; 4096]).unwrap();
                stream.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            }
        });
        let dropped = Arc::new(AtomicU64::new(0));
        let retries = Retries { attempts: 3, first: Duration::ZERO, longest: Duration::ZERO };
        let client = otlp::client().unwrap();
        let sender = LogSender { client, url, token: None, dropped: dropped.clone(), retries };
        sender.deliver(vec![b"{}\n".to_vec(), b"{}\n".to_vec()], false);
        assert_eq!(dropped.load(Ordering::Relaxed), 2);
        TcpStream::connect(address).unwrap().write_all(b"STOP").unwrap();
        assert_eq!(answering.join().unwrap(), 3);
    }
}
