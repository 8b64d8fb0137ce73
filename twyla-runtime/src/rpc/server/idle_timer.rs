//! The timeout for a request's head: one timer for all requests of a connection, set again only if it rings too early.
//!
//! hyper creates a timer for each head and drops it when the head is complete. Tokio's timers are added to the runtime's
//! wheel and removed from it under a lock that all threads share, which costs a measurable part of a call.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use hyper::rt::{Sleep, Timer};
use tokio::time::sleep_until;

/// The timer of one connection.
///
/// Waits must be consecutive, as those for heads are: the timer wakes the last task that polled.
#[derive(Clone, Default)]
pub(crate) struct Waits {
    set: Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>,
}

/// One wait.
struct Wait {
    until: Instant,
    waits: Waits,
}

impl Timer for Waits {
    fn sleep(&self, duration: std::time::Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, until: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait { until, waits: self.clone() })
    }
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let until = self.until.into();
        let mut set = self.waits.set.lock().unwrap_or_else(PoisonError::into_inner);
        let timer = set.get_or_insert_with(|| Box::pin(sleep_until(until)));
        // a timer set for an earlier wait rings before this one's time; it rings later only if this wait is shorter
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= until {
                return Poll::Ready(());
            }
            timer.as_mut().reset(until);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn each_wait_ends_at_its_own_time() {
        let (waits, begun) = (Waits::default(), tokio::time::Instant::now());
        let at = |seconds| (begun + Duration::from_secs(seconds)).into_std();
        // cancelled before its time, as when a head is complete
        let mut given_up = waits.sleep_until(at(10));
        std::future::poll_fn(|context| {
            assert!(given_up.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(given_up);
        waits.sleep_until(at(15)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(15));
        // earlier than the timer that is set
        let mut later = waits.sleep_until(at(100));
        std::future::poll_fn(|context| {
            assert!(later.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        waits.sleep_until(at(20)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(20));
        later.await;
        assert_eq!(begun.elapsed(), Duration::from_secs(100));
    }
}
