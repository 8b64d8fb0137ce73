//! The running handlers of a listener: finds those that run for long, and those that block their thread.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use thread_local::ThreadLocal;

/// A handler that blocks its thread for this long is logged: nothing else runs on that thread meanwhile.
const BLOCKING: Duration = Duration::from_secs(1);

/// The running handlers. A handler that is ready at its first poll takes no lock.
#[derive(Debug, Default)]
pub(crate) struct RunningHandlers {
    waiting: Mutex<Waiting>,
    /// The current poll of each thread.
    polls: ThreadLocal<Poll>,
}

/// The poll of a handler on one thread.
#[derive(Debug, Default)]
struct Poll {
    /// When the current poll began, as [`millis`]; 0 if no handler is polled.
    begun: AtomicU64,
    /// The beginning of the last poll that was reported.
    reported: AtomicU64,
}

impl Poll {
    /// Returns how long the current poll has blocked its thread, if for at least [`BLOCKING`] and not reported before.
    fn blocking(&self, now: Instant) -> Option<Duration> {
        let begun = self.begun.load(Ordering::Relaxed);
        let time = Duration::from_millis(millis(now).saturating_sub(begun));
        let is_new = begun != 0 && time >= BLOCKING && self.reported.swap(begun, Ordering::Relaxed) != begun;
        is_new.then_some(time)
    }
}

/// Handlers that are pending.
#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    runs: HashMap<u64, Run>,
}

#[derive(Debug)]
struct Run {
    since: Instant,
    reported: bool,
}

/// A guard that registers a pending handler until the guard is dropped.
struct RunningGuard<'a> {
    runs: &'a RunningHandlers,
    number: u64,
}

impl Drop for RunningGuard<'_> {
    fn drop(&mut self) {
        self.runs.lock().runs.remove(&self.number);
    }
}

impl RunningHandlers {
    /// Runs a handler, and calls `blocked` after each poll that took at least [`BLOCKING`].
    pub(crate) async fn watched<F: Future>(&self, handler: F, blocked: impl Fn(Duration)) -> F::Output {
        let mut handler = pin!(handler);
        let (mut running, mut first) = (None, None);
        poll_fn(|context| {
            let begun = Instant::now();
            let poll = self.polls.get_or_default();
            poll.begun.store(millis(begun), Ordering::Relaxed);
            let polled = handler.as_mut().poll(context);
            poll.begun.store(0, Ordering::Relaxed);
            let time = begun.elapsed();
            if time >= BLOCKING {
                blocked(time);
            }
            let since = *first.get_or_insert(begun);
            if polled.is_pending() && running.is_none() {
                running = Some(self.enter(since));
            }
            polled
        })
        .await
    }

    fn enter(&self, since: Instant) -> RunningGuard<'_> {
        let mut waiting = self.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.runs.insert(number, Run { since, reported: false });
        RunningGuard { runs: self, number }
    }

    /// Returns the number of handlers that have run for longer than `than` and were not counted before.
    pub(crate) fn overlong(&self, than: Duration) -> usize {
        let mut waiting = self.lock();
        let overlong = waiting.runs.values_mut().filter(|run| !run.reported && run.since.elapsed() > than);
        overlong.map(|run| run.reported = true).count()
    }

    /// Returns the time of each current poll that has blocked its thread for at least [`BLOCKING`] and wasn't reported before.
    pub(crate) fn blocking(&self) -> impl Iterator<Item = Duration> {
        let now = Instant::now();
        self.polls.iter().filter_map(move |poll| poll.blocking(now))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the milliseconds from the first call's `at` to this `at`, plus 1.
fn millis(at: Instant) -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(|| at);
    u64::try_from(at.saturating_duration_since(first).as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn an_overlong_handler_is_counted_once_and_only_while_it_runs() {
        let runs = RunningHandlers::default();
        let blocked = |_| panic!("it doesn't block its thread");
        runs.watched(async {}, blocked).await;
        assert_eq!(runs.overlong(Duration::ZERO), 0);
        {
            let mut handler = pin!(runs.watched(std::future::pending::<()>(), blocked));
            assert!(polled_once(handler.as_mut()).is_pending());
            assert_eq!(runs.overlong(Duration::from_secs(3600)), 0);
            assert_eq!((runs.overlong(Duration::ZERO), runs.overlong(Duration::ZERO)), (1, 0));
        }
        assert!(runs.lock().runs.is_empty());
    }

    fn polled_once<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
        future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }

    #[tokio::test]
    async fn a_handler_that_blocks_its_thread_is_seen_meanwhile_and_reported_once() {
        let runs = RunningHandlers::default();
        let _first = millis(Instant::now());
        let seen = std::thread::scope(|scope| {
            let looks = scope.spawn(|| {
                loop {
                    if let Some(time) = runs.blocking().next() {
                        return (time, runs.blocking().next());
                    }
                    std::thread::yield_now();
                }
            });
            let _ = polled_once(pin!(runs.watched(
                async {
                    while !looks.is_finished() {
                        std::thread::yield_now();
                    }
                },
                |time| assert!(time >= BLOCKING),
            )));
            looks.join().unwrap()
        });
        assert!(seen.0 >= BLOCKING && seen.1.is_none());
        assert_eq!(runs.blocking().next(), None, "it is over");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn each_handler_that_blocks_its_thread_is_seen_while_others_run() {
        let runs = Arc::new(RunningHandlers::default());
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let blocking = [(); 2].map(|()| {
            let (runs, ended) = (runs.clone(), ended.clone());
            tokio::spawn(async move {
                runs.watched(async move { drop(ended.lock().map(|ended| ended.recv())) }, |_| {}).await;
            })
        });
        // This thread has handlers that end at once.
        let (mut seen, until) = (0, Instant::now() + Duration::from_secs(30));
        while seen < blocking.len() && Instant::now() < until {
            runs.watched(tokio::task::yield_now(), |_| {}).await;
            seen += runs.blocking().count();
        }
        drop(end);
        for handler in blocking {
            handler.await.unwrap();
        }
        assert_eq!((seen, runs.blocking().count()), (2, 0));
    }
}
