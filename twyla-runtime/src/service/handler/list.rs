//! The handlers that `listeners![..]` and `rpcs![..]` collect.

use super::const_text::same;

/// Handlers in the order of their list: [`Listeners`](crate::Listeners) or [`Rpcs`](crate::Rpcs).
#[derive(Clone, Debug)]
pub struct HandlerList<R>(pub(crate) Vec<R>);

impl<R> Default for HandlerList<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R> HandlerList<R> {
    /// Collects the entries that the macro has checked.
    #[doc(hidden)]
    #[must_use]
    pub fn collect(entries: &[Entry<R>]) -> Self {
        Self(entries.iter().map(|entry| (entry.registration)()).collect())
    }

    /// Returns the number of handlers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<R> IntoIterator for HandlerList<R> {
    type Item = R;
    type IntoIter = std::vec::IntoIter<R>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The entry of a handler in a list.
#[doc(hidden)]
#[derive(Debug)]
pub struct Entry<R> {
    /// The name of the event or RPC.
    pub(crate) subject: &'static str,
    /// The parts that must be unique within a list: an event and a group, or a path.
    pub(crate) route: [&'static str; 2],
    pub(crate) handler: &'static str,
    pub(crate) registration: fn() -> R,
}

impl<R> Entry<R> {
    /// Sets the path by which the list names the handler.
    #[must_use]
    pub const fn named(mut self, handler: &'static str) -> Self {
        self.handler = handler;
        self
    }

    /// Returns the earlier entry with the same route, if the list has one.
    pub(crate) const fn twin<'a>(&self, before: &'a [Self]) -> Option<&'a Self> {
        let mut i = 0;
        while i < before.len() {
            let ([a, b], [other_a, other_b]) = (self.route, before[i].route);
            if same(a, other_a) && same(b, other_b) {
                return Some(&before[i]);
            }
            i += 1;
        }
        None
    }
}
