//! Key ordering: items with the same key run one after another, items with different keys concurrently.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The keys of running items, and the items that wait behind them.
#[derive(Debug)]
pub(crate) struct KeyOrder<T> {
    busy: HashMap<u64, VecDeque<T>>,
}

impl<T> Default for KeyOrder<T> {
    fn default() -> Self {
        Self { busy: HashMap::new() }
    }
}

impl<T> KeyOrder<T> {
    /// Adds an item; returns it if it may run at once.
    pub(crate) fn enter(&mut self, key: u64, item: T) -> Option<T> {
        match self.busy.get_mut(&key) {
            Some(waiting) => {
                waiting.push_back(item);
                None
            }
            None => {
                self.busy.insert(key, VecDeque::new());
                Some(item)
            }
        }
    }

    /// Removes the running item of this key; returns the next one.
    pub(crate) fn leave(&mut self, key: u64) -> Option<T> {
        let next = self.busy.get_mut(&key).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.busy.remove(&key);
        }
        next
    }
}

/// Returns the hash of a key. Keys with the same hash wait for each other.
#[must_use]
pub fn key_hash<K: Hash + ?Sized>(key: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_is_a_queue_and_others_go_past_it() {
        let mut order = KeyOrder::default();
        assert_eq!(order.enter(1, "a"), Some("a"));
        assert_eq!(order.enter(1, "b"), None);
        assert_eq!(order.enter(2, "c"), Some("c"));
        assert_eq!(order.enter(1, "d"), None);
        assert_eq!(order.leave(1), Some("b"));
        assert_eq!(order.leave(1), Some("d"));
        assert_eq!(order.leave(1), None);
        assert_eq!(order.enter(1, "e"), Some("e"));
        assert_eq!(order.leave(2), None);
        assert!(order.busy.contains_key(&1) && !order.busy.contains_key(&2));
    }
}
