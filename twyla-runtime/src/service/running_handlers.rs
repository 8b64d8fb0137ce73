//! The handlers of a listener that run: which of them run for very long, and which keep their thread.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use thread_local::ThreadLocal;

/// A handler that keeps its thread for longer is warned of: nothing else runs on that thread meanwhile.
const BLOCKING: Duration = Duration::from_secs(1);

/// What runs. A handler that never waits for anything costs no lock.
#[derive(Debug, Default)]
pub(crate) struct RunningHandlers {
    waiting: Mutex<Waiting>,
    /// What each thread polls.
    polls: ThreadLocal<Poll>,
}

/// The poll of a handler on one thread.
#[derive(Debug, Default)]
struct Poll {
    /// When it has begun, if it isn't over, as [`millis`]; 0 if there is none.
    begun: AtomicU64,
    /// The last one that was warned of.
    warned: AtomicU64,
}

impl Poll {
    /// For how long it keeps its thread, if that is long and wasn't warned of before.
    fn keeps(&self, now: Instant) -> Option<Duration> {
        let begun = self.begun.load(Ordering::Relaxed);
        let time = Duration::from_millis(millis(now).saturating_sub(begun));
        let is_news = begun != 0 && time >= BLOCKING && self.warned.swap(begun, Ordering::Relaxed) != begun;
        is_news.then_some(time)
    }
}

/// Handlers that wait for something.
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

/// One handler that runs, until this is dropped.
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
    /// Runs a handler, and calls `kept` if it keeps its thread for long.
    pub(crate) async fn watched<F: Future>(&self, handler: F, kept: impl Fn(Duration)) -> F::Output {
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
                kept(time);
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

    /// How many handlers have run for longer than this, and were not counted before.
    pub(crate) fn overlong(&self, than: Duration) -> usize {
        let mut waiting = self.lock();
        let overlong = waiting.runs.values_mut().filter(|run| !run.reported && run.since.elapsed() > than);
        overlong.map(|run| run.reported = true).count()
    }

    /// For how long handlers have kept their threads: of each that has for long and wasn't warned of before.
    pub(crate) fn keeps(&self) -> impl Iterator<Item = Duration> {
        let now = Instant::now();
        self.polls.iter().filter_map(move |poll| poll.keeps(now))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time in milliseconds since the first one that was asked for, from 1 on.
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
        let kept = |_| panic!("it doesn't keep its thread");
        runs.watched(async {}, kept).await;
        assert_eq!(runs.overlong(Duration::ZERO), 0);
        {
            let mut handler = pin!(runs.watched(std::future::pending::<()>(), kept));
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
    async fn a_handler_that_keeps_its_thread_is_seen_while_it_does_and_said_once() {
        let runs = RunningHandlers::default();
        let _first = millis(Instant::now());
        let seen = std::thread::scope(|scope| {
            let looks = scope.spawn(|| {
                loop {
                    if let Some(time) = runs.keeps().next() {
                        return (time, runs.keeps().next());
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
        assert_eq!(runs.keeps().next(), None, "it is over");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn each_handler_that_keeps_its_thread_is_seen_while_others_run() {
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
            seen += runs.keeps().count();
        }
        drop(end);
        for handler in blocking {
            handler.await.unwrap();
        }
        assert_eq!((seen, runs.keeps().count()), (2, 0));
    }
}
