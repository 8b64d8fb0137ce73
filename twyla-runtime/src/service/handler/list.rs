//! The registered handlers that `listeners![..]` and `rpcs![..]` collect.

/// Handlers in the order of their list: [`Listeners`](crate::Listeners) or [`Rpcs`](crate::Rpcs).
#[derive(Clone, Debug)]
pub struct HandlerList<R>(pub(crate) Vec<R>);

impl<R> Default for HandlerList<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R> HandlerList<R> {
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
