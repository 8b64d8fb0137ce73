//! Counts publishes in flight, so that closing the transport can wait for them.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

const CLOSED: usize = 1 << (usize::BITS - 1);

/// A counter of operations in flight that can be closed once.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// The number of operations, and a flag bit for "closed".
    inside: AtomicUsize,
    last: Notify,
}

impl InFlight {
    /// Counts an operation until the guard is dropped; `None` if the counter is closed.
    pub(crate) fn enter(&self) -> Option<InFlightGuard<'_>> {
        let inside = InFlightGuard(self);
        // if the counter is closed, dropping the guard decrements it again
        (self.inside.fetch_add(1, Ordering::AcqRel) & CLOSED == 0).then_some(inside)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inside.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Rejects new operations, and waits for the others to finish.
    pub(crate) async fn close(&self) {
        self.inside.fetch_or(CLOSED, Ordering::AcqRel);
        loop {
            let last = self.last.notified();
            if self.inside.load(Ordering::Acquire) == CLOSED {
                return;
            }
            last.await;
        }
    }
}

pub(crate) struct InFlightGuard<'a>(&'a InFlight);

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        if self.0.inside.fetch_sub(1, Ordering::AcqRel) == CLOSED + 1 {
            self.0.last.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn closing_waits_for_operations_in_flight() {
        let in_flight = Arc::new(InFlight::default());
        let inside = in_flight.enter();
        assert!(inside.is_some() && !in_flight.is_closed());
        let closing = tokio::spawn({
            let in_flight = in_flight.clone();
            async move { in_flight.close().await }
        });
        while !in_flight.is_closed() {
            tokio::task::yield_now().await;
        }
        assert!(in_flight.enter().is_none() && !closing.is_finished());
        drop(inside);
        closing.await.unwrap();
        in_flight.close().await;
    }
}
