//! State that a service shares with its handlers.

use std::ops::Deref;

/// A handler argument: a clone of the state of type `T` that the service was given with
/// [`Service::state`](crate::Service::state).
///
/// Put what is costly to clone, or must be shared, into an [`Arc`](std::sync::Arc).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
