//! Deadlines whose timer is set only once something has to be waited for, and then seldom anew: most of what has one is done
//! long before it.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::bus::config::FOREVER;

/// How many timers a thread keeps.
const KEPT: usize = 64;

/// When so much time has passed; a deadline beyond all times is none.
pub(crate) fn after(time: Duration) -> Instant {
    since(Instant::now(), time)
}

/// When so much time has passed since then.
pub(crate) fn since(begun: Instant, time: Duration) -> Instant {
    begun + time.min(FOREVER)
}

/// It was not done in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Late;

/// A future's output, or that it wasn't there by the deadline.
///
/// # Cancel safety
/// That of the future.
pub(crate) fn by<F: Future>(deadline: Instant, future: F) -> impl Future<Output = Result<F::Output, Late>> {
    waited(move || deadline, future)
}

/// The same from when the future has to be waited for.
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

/// A timer that rings at `until`. Its runtime's may ring earlier, as it was set for a deadline before: then it is set again.
/// So the many deadlines that follow one another enter few timers into the runtime's wheel, and take none out.
struct Timer {
    until: Instant,
    /// There until this is dropped.
    set: Option<Kept>,
}

/// A runtime's timer, and whose it is.
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
        // a thread that ends keeps none
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
        // set for the 10th second, and kept
        assert_eq!(by(at(10), done()).await, Ok(()));
        assert_eq!(by(at(30), pending::<()>()).await, Err(Late));
        assert_eq!(begun.elapsed(), Duration::from_secs(30));
        // set for the 90th, and then for less
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
