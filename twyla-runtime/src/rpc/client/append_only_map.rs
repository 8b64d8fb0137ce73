//! An append-only map whose reads take no lock, which busy callers would contend for.

use std::sync::OnceLock;

/// Values by name, each created once and kept as long as the map. Searched linearly, since there are few.
pub(crate) struct Grown<T>(OnceLock<Box<Node<T>>>);

struct Node<T> {
    name: &'static str,
    value: T,
    next: Grown<T>,
}

impl<T> Default for Grown<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Clone> Grown<T> {
    /// Returns the value of that name, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        let mut at = self;
        while let Some(node) = at.0.get() {
            if node.name == name {
                return Some(&node.value);
            }
            at = &node.next;
        }
        None
    }

    /// Returns the value of that name, after adding `value` if there is none.
    pub(crate) fn get_or_add(&self, name: &'static str, value: T) -> &T {
        let mut at = self;
        loop {
            let node = at.0.get_or_init(|| Node { name, value: value.clone(), next: Self::default() }.into());
            if node.name == name {
                return &node.value;
            }
            at = &node.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_a_name_stays() {
        let map = Grown::default();
        assert_eq!(map.get("a"), None);
        assert_eq!((*map.get_or_add("a", 1), *map.get_or_add("b", 2), *map.get_or_add("a", 3)), (1, 2, 1));
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (Some(&1), Some(&2), None));
    }

    #[test]
    fn many_threads_agree() {
        let map = Grown::default();
        let names = ["a", "b", "c", "d"];
        std::thread::scope(|scope| {
            let of = |i: usize| names.map(|name| *map.get_or_add(name, i));
            let found: Vec<_> = (0..4).map(|i| scope.spawn(move || of(i))).collect();
            let found: Vec<_> = found.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert!(found.iter().all(|each| *each == names.map(|name| *map.get(name).unwrap())));
        });
    }
}
