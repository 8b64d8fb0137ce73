//! Deadlines whose timer is set only once something has to be waited for: most of what has one is done at once.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// As long as nothing takes.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// When so much time has passed; a deadline beyond all times is none.
pub(crate) fn after(time: Duration) -> Instant {
    Instant::now() + time.min(FOREVER)
}

/// It was not done in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Late;

/// A future's output, or that it wasn't there by the deadline.
///
/// # Cancel safety
/// That of the future.
pub(crate) async fn by<F: Future>(deadline: Instant, future: F) -> Result<F::Output, Late> {
    waited(|| deadline, future).await
}

/// The same from when the future has to be waited for.
#[cfg_attr(not(feature = "rpc-server"), allow(dead_code, reason = "only what comes in is waited for so"))]
pub(crate) async fn within<F: Future>(deadline: Duration, future: F) -> Result<F::Output, Late> {
    waited(|| after(deadline), future).await
}

async fn waited<F: Future>(deadline: impl Fn() -> Instant, future: F) -> Result<F::Output, Late> {
    let mut future = pin!(future);
    let mut timer = pin!(None::<Sleep>);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        if timer.is_none() {
            timer.set(Some(sleep_until(deadline())));
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(context).map(|()| Err(Late)),
            None => Poll::Pending,
        }
    })
    .await
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

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_not_is_late() {
        assert_eq!(by(Instant::now(), pending::<()>()).await, Err(Late));
        assert_eq!(within(Duration::from_millis(5), pending::<()>()).await, Err(Late));
    }
}
