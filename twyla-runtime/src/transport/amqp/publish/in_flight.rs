//! A gate that closes once, and then waits for those who went through to be done.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

const CLOSED: usize = 1 << (usize::BITS - 1);

/// Open until it is closed.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// How many are inside, and whether more may come.
    inside: AtomicUsize,
    last: Notify,
}

impl Gate {
    /// Goes in, until what is returned is dropped; `None` if the gate is closed.
    pub(crate) fn enter(&self) -> Option<Inside<'_>> {
        let inside = Inside(self);
        // Whoever comes too late goes out again by the drop.
        (self.inside.fetch_add(1, Ordering::AcqRel) & CLOSED == 0).then_some(inside)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inside.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Lets nobody in any more, and waits until nobody is inside.
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

pub(crate) struct Inside<'a>(&'a Gate);

impl Drop for Inside<'_> {
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
    async fn closing_waits_for_who_is_inside() {
        let gate = Arc::new(Gate::default());
        let inside = gate.enter();
        assert!(inside.is_some() && !gate.is_closed());
        let closing = tokio::spawn({
            let gate = gate.clone();
            async move { gate.close().await }
        });
        while !gate.is_closed() {
            tokio::task::yield_now().await;
        }
        assert!(gate.enter().is_none() && !closing.is_finished());
        drop(inside);
        closing.await.unwrap();
        gate.close().await;
    }
}
