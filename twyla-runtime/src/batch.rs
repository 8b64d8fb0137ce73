//! Deliveries that came together: one task sees to those whose handlers end without waiting, any other gets its own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::attempt::{Listening, handle_in_turn};
use crate::transport::Delivery;

/// A handler that keeps its thread for longer is slow: others are not to wait behind it.
const SLOW: Duration = Duration::from_micros(50);
/// For how many deliveries a listener with a slow handler gives each its own task.
const APART: u32 = 256;

/// Whether the deliveries of a listener may share a task.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    apart: AtomicU32,
}

impl Pace {
    /// Whether the next delivery gets a task of its own.
    fn is_apart(&self) -> bool {
        self.apart.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn took(&self, time: Duration) {
        if time > SLOW {
            self.apart.store(APART, Ordering::Relaxed);
        }
    }
}

/// Handles deliveries, side by side as soon as one waits for something. If this is dropped on the way, what isn't handled
/// goes back to its queue.
pub(crate) async fn handle_together(listening: Arc<Listening>, deliveries: Vec<Delivery>) {
    let mut waiting = JoinSet::new();
    for delivery in deliveries {
        let mut handling = Box::pin(handle_in_turn(listening.clone(), delivery));
        if !listening.pace.is_apart() {
            let begun = Instant::now();
            // Whoever gets it polls it again at once.
            let polled = handling.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            listening.pace.took(begun.elapsed());
            if let Poll::Ready(()) = polled {
                continue;
            }
        }
        waiting.spawn(handling);
    }
    while waiting.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_handler_gets_tasks_of_its_own_for_a_while() {
        let pace = Pace::default();
        pace.took(SLOW);
        assert!(!pace.is_apart());
        pace.took(SLOW * 2);
        assert!((0..APART).all(|_| pace.is_apart()));
        assert!(!pace.is_apart());
    }
}
