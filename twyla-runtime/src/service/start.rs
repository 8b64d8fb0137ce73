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
    /// The delivery that rests until the signal is given.
    next: Option<DeliveryProgress>,
    /// The signal that is given with this one.
    then: Option<Signal>,
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
            // while the lock is held, because the signal, which wakes the delivery, needs the lock too
            progress.rest();
            state.next = Some(progress.clone());
        }
        // doesn't miss a signal that was given after the lock was released: `notify_one` stored a permit
        self.0.given.notified().await;
    }

    /// Gives `signal` when this wait is over, without waiting for it.
    fn then(self, signal: Signal) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_given {
            // given outside of the lock
            drop(state);
            drop(signal);
        } else {
            state.then = Some(signal);
        }
    }
}

impl SignalState {
    /// Lets the waiting item go on; returns the signal that is given next.
    fn give(&self) -> Option<Signal> {
        let (next, then) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_given = true;
            (state.next.take(), state.then.take())
        };
        // first, so that observers always see one delivery in progress
        if let Some(next) = next {
            next.wake();
        }
        self.given.notify_one();
        then
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        // not by recursion: a batch may have 32,767 events of one key
        let mut then = self.0.give();
        while let Some(signal) = then {
            then = signal.0.give();
        }
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
///
/// An event may end without having waited for its turn, for example if it is dead-lettered. Then the next one still waits for those
/// before it.
#[derive(Default)]
pub(crate) struct Turn {
    pub(crate) before: Option<Wait>,
    pub(crate) end: Option<Signal>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let (Some(before), Some(end)) = (self.before.take(), self.end.take()) {
            before.then(end);
        }
    }
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

    /// Returns the turns of `count` items of a key.
    fn turns(count: usize) -> Vec<Turn> {
        let mut turns: Vec<Turn> = Vec::new();
        for _ in 0..count {
            let before = turns.last_mut().map(|last| {
                let (end, before) = Signal::new();
                last.end = Some(end);
                before
            });
            turns.push(Turn { before, end: None });
        }
        turns
    }

    fn is_given(wait: &Wait) -> bool {
        wait.0.state.lock().unwrap().is_given
    }

    #[test]
    fn an_item_that_ends_out_of_turn_does_not_let_the_next_one_go_on() {
        let mut turns = turns(4);
        let last = turns.pop().and_then(|mut turn| turn.before.take()).unwrap();
        let (third, second, first) = (turns.pop(), turns.pop(), turns.pop());
        drop(second);
        drop(third);
        assert!(!is_given(&last), "the first has not ended");
        drop(first);
        assert!(is_given(&last));
    }

    #[test]
    fn many_items_that_ended_out_of_turn_do_not_overflow_the_stack() {
        let mut turns = turns(100_000);
        let last = turns.pop().and_then(|mut turn| turn.before.take()).unwrap();
        let first = turns.swap_remove(0);
        drop(turns);
        assert!(!is_given(&last));
        drop(first);
        assert!(is_given(&last));
    }
}
