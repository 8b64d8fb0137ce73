//! Deadlines that start a timer only if the future is pending, and reuse timers: most futures complete long before their
//! deadline.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::bus::config::FOREVER;

/// The maximum number of idle timers of a thread.
const KEPT: usize = 64;

/// Returns the time after a duration from now; a deadline out of range is effectively infinite.
pub(crate) fn after(time: Duration) -> Instant {
    since(Instant::now(), time)
}

/// Returns the time after a duration from `begun`.
pub(crate) fn since(begun: Instant, time: Duration) -> Instant {
    begun + time.min(FOREVER)
}

/// The deadline passed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Late;

/// Returns the output of a future, or [`Late`] at the deadline.
///
/// # Cancel safety
/// That of the future.
pub(crate) fn by<F: Future>(deadline: Instant, future: F) -> impl Future<Output = Result<F::Output, Late>> {
    waited(move || deadline, future)
}

/// The same, with the deadline counted from the first time that the future is pending.
#[cfg_attr(not(feature = "rpc-server"), allow(dead_code, reason = "only what comes in is waited for so"))]
pub(crate) fn within<F: Future>(deadline: Duration, future: F) -> impl Future<Output = Result<F::Output, Late>> {
    waited(move || after(deadline), future)
}

async fn waited<F: Future>(deadline: impl Fn() -> Instant, future: F) -> Result<F::Output, Late> {
    let mut future = pin!(future);
    let mut timer = None;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        timer.get_or_insert_with(|| Timer::set(deadline())).poll(context).map(|()| Err(Late))
    })
    .await
}

/// A timer that rings at `until`. The runtime's timer may ring earlier, for a previous deadline, and is then set again. So
/// consecutive deadlines add few timers to the runtime's wheel and remove none.
struct Timer {
    until: Instant,
    /// `Some` until this is dropped.
    set: Option<Kept>,
}

/// A timer with the runtime that it belongs to.
struct Kept {
    runtime: Id,
    sleep: Pin<Box<Sleep>>,
}

thread_local! {
    static IDLE: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

impl Timer {
    fn set(until: Instant) -> Self {
        let runtime = Handle::current().id();
        let kept = IDLE.try_with(|idle| idle.borrow_mut().pop()).ok().flatten();
        let set = match kept.filter(|kept| kept.runtime == runtime) {
            Some(mut kept) => {
                if kept.sleep.deadline() > until {
                    kept.sleep.as_mut().reset(until);
                }
                kept
            }
            None => Kept { runtime, sleep: Box::pin(sleep_until(until)) },
        };
        Self { until, set: Some(set) }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(Kept { sleep, .. }) = &mut self.set else { return Poll::Ready(()) };
        while sleep.as_mut().poll(context).is_ready() {
            if sleep.deadline() >= self.until {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(self.until);
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(kept) = self.set.take() else { return };
        // Fails while the thread ends: the timer is then dropped instead of kept.
        let _ = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            if idle.len() < KEPT {
                idle.push(kept);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_done_in_time_has_its_output() {
        let past = Instant::now();
        assert_eq!(by(past, ready(7)).await, Ok(7));
        let soon = async {
            sleep(Duration::from_millis(1)).await;
            8
        };
        assert_eq!(within(Duration::from_secs(60), soon).await, Ok(8));
    }

    #[test]
    fn no_deadline_is_too_late() {
        assert!(after(Duration::MAX) > after(Duration::from_secs(1)));
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_timer_that_was_set_before_rings_at_the_new_time() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let done = || async {
            sleep(Duration::from_secs(1)).await;
        };
        // set for the 10th second, and reused
        assert_eq!(by(at(10), done()).await, Ok(()));
        assert_eq!(by(at(30), pending::<()>()).await, Err(Late));
        assert_eq!(begun.elapsed(), Duration::from_secs(30));
        // set for the 90th second, and then for an earlier one
        assert_eq!(by(at(90), done()).await, Ok(()));
        assert_eq!(by(at(40), pending::<()>()).await, Err(Late));
        assert_eq!(begun.elapsed(), Duration::from_secs(40));
    }

    #[test]
    fn a_timer_of_another_runtime_is_left_alone() {
        for _ in 0..3 {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                let short = async { sleep(Duration::from_millis(1)).await };
                assert_eq!(by(after(Duration::from_secs(60)), short).await, Ok(()));
                assert_eq!(within(Duration::from_millis(5), pending::<()>()).await, Err(Late));
            });
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_not_is_late() {
        assert_eq!(by(Instant::now(), pending::<()>()).await, Err(Late));
        assert_eq!(within(Duration::from_millis(5), pending::<()>()).await, Err(Late));
    }
}
