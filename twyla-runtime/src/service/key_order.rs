//! Ordered by key: what has the same key waits for each other, what has another goes side by side.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Which keys are under way, and what waits behind them.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    busy: HashMap<u64, VecDeque<T>>,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { busy: HashMap::new() }
    }
}

impl<T> Lanes<T> {
    /// Takes something in; gives it back if it may begin at once.
    pub(crate) fn enter(&mut self, key: u64, item: T) -> Option<T> {
        match self.busy.get_mut(&key) {
            Some(lane) => {
                lane.push_back(item);
                None
            }
            None => {
                self.busy.insert(key, VecDeque::new());
                Some(item)
            }
        }
    }

    /// Something with this key has ended: what may begin now.
    pub(crate) fn leave(&mut self, key: u64) -> Option<T> {
        let next = self.busy.get_mut(&key).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.busy.remove(&key);
        }
        next
    }
}

/// The lane of a key. Two keys may share one, which costs them only that they wait for each other.
#[must_use]
pub fn lane<K: Hash + ?Sized>(key: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_is_a_queue_and_others_go_past_it() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.enter(1, "a"), Some("a"));
        assert_eq!(lanes.enter(1, "b"), None);
        assert_eq!(lanes.enter(2, "c"), Some("c"));
        assert_eq!(lanes.enter(1, "d"), None);
        assert_eq!(lanes.leave(1), Some("b"));
        assert_eq!(lanes.leave(1), Some("d"));
        assert_eq!(lanes.leave(1), None);
        assert_eq!(lanes.enter(1, "e"), Some("e"));
        assert_eq!(lanes.leave(2), None);
        assert!(lanes.busy.contains_key(&1) && !lanes.busy.contains_key(&2));
    }
}
