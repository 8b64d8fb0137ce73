//! Key ordering of batches: events with the same key are in the same batch, in order, or in batches that are handled one after the
//! other.

use std::collections::{HashMap, VecDeque};

/// The keys of the items that have begun, and the items that wait behind them. A `G` is dropped to let an item go on.
#[derive(Debug)]
pub(crate) struct BatchKeys<T, G> {
    busy: HashMap<u64, BusyKey<T, G>>,
}

#[derive(Debug)]
struct BusyKey<T, G> {
    /// The number of items that have begun and not ended.
    begun: usize,
    /// The batch that all begun items share; `None` if they don't share one, or none has joined a batch yet.
    batch: Option<u64>,
    /// Held by the item that began last, if it waits for the others.
    gate: Option<G>,
    waiting: VecDeque<T>,
}

impl<T, G> Default for BatchKeys<T, G> {
    fn default() -> Self {
        Self { busy: HashMap::new() }
    }
}

impl<T, G> BatchKeys<T, G> {
    /// Adds an item, and returns it if it may begin now. If others of its key have begun, it may begin only if none waits, all
    /// that have begun are in the gathering batch `open`, and the item `joins` a batch; then `open` is returned with it.
    pub(crate) fn enter(&mut self, key: u64, item: T, joins: bool, open: Option<u64>) -> Option<(T, Option<u64>)> {
        let Some(busy) = self.busy.get_mut(&key) else {
            self.busy.insert(key, BusyKey { begun: 1, batch: None, gate: None, waiting: VecDeque::new() });
            return Some((item, None));
        };
        if busy.waiting.is_empty() && joins && open.is_some() && busy.batch == open {
            busy.begun += 1;
            return Some((item, open));
        }
        busy.waiting.push_back(item);
        None
    }

    /// Records the batch that an item has joined after it began; `None` if it has joined none. An item that has joined none waits
    /// until the items before it have ended: the `gate` is dropped then.
    pub(crate) fn joined(&mut self, key: u64, batch: Option<u64>, gate: Option<G>) {
        if let Some(busy) = self.busy.get_mut(&key) {
            busy.batch = batch;
            busy.gate = gate.filter(|_| batch.is_none() && busy.begun > 1);
        }
    }

    /// Removes an item that has ended; returns the next one if it was the last that had begun.
    pub(crate) fn leave(&mut self, key: u64) -> Option<T> {
        let busy = self.busy.get_mut(&key)?;
        busy.begun = busy.begun.saturating_sub(1);
        if busy.begun == 1 {
            drop(busy.gate.take());
        }
        if busy.begun > 0 {
            return None;
        }
        busy.batch = None;
        busy.gate = None;
        let next = busy.waiting.pop_front();
        match next {
            Some(_) => busy.begun = 1,
            None => drop(self.busy.remove(&key)),
        }
        next
    }

    /// Returns the next waiting item of this key, and the batch that it must join, if it `joins` the batch `open` that all items of
    /// the key are in.
    pub(crate) fn next(
        &mut self,
        key: u64,
        joins: impl FnOnce(&T) -> bool,
        open: Option<u64>,
    ) -> Option<(T, Option<u64>)> {
        let busy = self.busy.get_mut(&key)?;
        if open.is_none() || busy.batch != open || !busy.waiting.front().is_some_and(joins) {
            return None;
        }
        busy.begun += 1;
        busy.waiting.pop_front().map(|item| (item, open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_a_key_share_a_batch_while_it_gathers_and_wait_for_it_after_that() {
        let mut keys = BatchKeys::<_, ()>::default();
        assert_eq!(keys.enter(1, "a", true, None), Some(("a", None)));
        keys.joined(1, Some(7), None);
        assert_eq!(keys.enter(1, "b", true, Some(7)), Some(("b", Some(7))));
        keys.joined(1, Some(7), None);
        assert_eq!(keys.enter(2, "x", true, Some(8)), Some(("x", None)), "another key");
        for waiting in ["c", "d", "e"] {
            assert_eq!(keys.enter(1, waiting, true, Some(8)), None);
        }
        assert_eq!(keys.next(1, |_| true, Some(8)), None);
        assert_eq!(keys.leave(1), None, "one of two has ended");
        assert_eq!(keys.leave(1), Some("c"));
        keys.joined(1, Some(9), None);
        assert_eq!(keys.enter(1, "f", true, Some(9)), None, "others wait before it");
        assert_eq!(keys.next(1, |next| *next == "d", Some(9)), Some(("d", Some(9))));
        assert_eq!(keys.next(1, |next| *next != "e", Some(9)), None, "it can't join");
        assert_eq!((keys.leave(1), keys.leave(1)), (None, Some("e")));
        assert_eq!((keys.leave(1), keys.leave(1)), (Some("f"), None));
        assert_eq!(keys.leave(2), None);
        assert!(keys.busy.is_empty());
    }

    #[test]
    fn an_item_that_joined_no_batch_is_alone_with_its_key() {
        let mut keys = BatchKeys::<_, ()>::default();
        assert_eq!(keys.enter(1, "a", true, None), Some(("a", None)));
        keys.joined(1, None, None);
        assert_eq!(keys.enter(1, "b", true, Some(3)), None);
        assert_eq!(keys.enter(2, "c", true, Some(3)), Some(("c", None)));
        keys.joined(2, Some(3), None);
        assert_eq!(keys.enter(2, "d", false, Some(3)), None, "it joins none");
        assert_eq!(keys.leave(1), Some("b"));
    }

    #[test]
    fn an_item_whose_batch_has_just_closed_goes_on_when_those_before_it_have_ended() {
        let mut keys = BatchKeys::default();
        keys.enter(1, "a", true, None);
        keys.joined(1, Some(7), None);
        keys.enter(1, "b", true, Some(7));
        keys.joined(1, Some(7), None);
        assert_eq!(keys.enter(1, "c", true, Some(7)), Some(("c", Some(7))));
        let gate = std::sync::Arc::new(());
        keys.joined(1, None, Some(gate.clone()));
        assert_eq!(keys.enter(1, "d", true, Some(8)), None);
        assert_eq!(keys.leave(1), None);
        assert_eq!(std::sync::Arc::strong_count(&gate), 2, "one before it has not ended");
        assert_eq!(keys.leave(1), None);
        assert_eq!(std::sync::Arc::strong_count(&gate), 1);
        assert_eq!(keys.leave(1), Some("d"));
    }
}
