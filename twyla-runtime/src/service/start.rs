//! Lets items go on in their order: one waits until another has begun or ended.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::progress::DeliveryProgress;

/// Lets a waiting item go on when it is dropped.
#[derive(Debug)]
pub(crate) struct Signal(Arc<SignalState>);

/// Waits for a [`Signal`].
#[derive(Debug)]
pub(crate) struct Wait(Arc<SignalState>);

#[derive(Debug, Default)]
struct SignalState {
    state: Mutex<SignalProgress>,
    given: Notify,
}

#[derive(Debug, Default)]
struct SignalProgress {
    is_given: bool,
    /// The delivery that rests until then.
    next: Option<DeliveryProgress>,
}

impl Signal {
    pub(crate) fn new() -> (Self, Wait) {
        let state = Arc::<SignalState>::default();
        (Self(state.clone()), Wait(state))
    }
}

impl Wait {
    /// Resolves when the signal is dropped; the delivery rests meanwhile.
    pub(crate) async fn wait(self, progress: &DeliveryProgress) {
        {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.is_given {
                return;
            }
            // within the lock: the signal wakes it
            progress.rest();
            state.next = Some(progress.clone());
        }
        // a permit is stored if it was given since then
        self.0.given.notified().await;
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_given = true;
            state.next.take()
        };
        // first, so that observers always see one delivery in progress
        if let Some(next) = next {
            next.wake();
        }
        self.0.given.notify_one();
    }
}

/// The starts of a sequence of items.
#[derive(Default)]
pub(crate) struct Starts {
    last: Option<Wait>,
}

/// The start of one item. If it is dropped, the next item may begin.
pub(crate) struct Start {
    previous: Option<Wait>,
    _mine: Signal,
}

impl Starts {
    /// Adds an item after the last one.
    pub(crate) fn next(&mut self) -> Start {
        let (mine, wait) = Signal::new();
        Start { previous: self.last.replace(wait), _mine: mine }
    }
}

impl Start {
    /// Waits until the item before this one has begun; the delivery rests meanwhile.
    pub(crate) async fn wait(&mut self, progress: &DeliveryProgress) {
        if let Some(previous) = self.previous.take() {
            previous.wait(progress).await;
        }
    }
}

/// The turn of an event that is handled again: after the event before it with the same key has ended, and before the next one.
#[derive(Default)]
pub(crate) struct Turn {
    pub(crate) before: Option<Wait>,
    pub(crate) end: Option<Signal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_item_waits_for_the_one_before_it() {
        let mut starts = Starts::default();
        let [first, mut second, mut third] = [starts.next(), starts.next(), starts.next()];
        let progress = DeliveryProgress::default();
        {
            let mut waiting = std::pin::pin!(third.wait(&progress));
            let begun = tokio::select! {
                biased;
                () = &mut waiting => true,
                () = std::future::ready(()) => false,
            };
            assert!(!begun, "the second hasn't begun");
            drop(first);
            second.wait(&progress).await;
            drop(second);
            waiting.await;
        }
    }
}
