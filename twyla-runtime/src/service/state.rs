//! State that a service shares with its handlers.

use std::ops::Deref;

/// A handler argument: a clone of the state of type `T` that [`Service::state`](crate::Service::state) has added.
///
/// If the state is costly to clone, or handlers must share it, wrap it in an [`Arc`](std::sync::Arc).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
