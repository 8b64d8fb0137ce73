//! The connection state of a bus.

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// The connection state of a bus, returned by [`Bus::state`](crate::Bus::state).
///
/// Over RabbitMQ, publishing and consuming each have their own connection. In memory, both are up until the bus is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusState {
    /// The connection that events are published on.
    pub publish: LinkState,
    /// The connection that events are consumed on.
    pub consume: LinkState,
}

impl BusState {
    /// Returns whether events can be both published and consumed now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.publish == LinkState::Up && self.consume == LinkState::Up
    }
}

/// The state of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// Connected.
    Up,
    /// Connected, but the broker blocks publishing because it is short of memory or disk.
    Blocked {
        /// The broker's reason.
        why: String,
    },
    /// Lost; reconnecting.
    Down {
        /// The last error.
        why: String,
        /// When the connection was lost.
        since: DateTime<Utc>,
    },
    /// The bus is closed.
    Closed,
}

/// Publishes the state of a bus.
pub(crate) type BusStateSender = watch::Sender<BusState>;

/// Creates the state of a bus, with both connections in the state `first`.
pub(crate) fn bus_state(first: LinkState) -> BusStateSender {
    watch::Sender::new(BusState { publish: first.clone(), consume: first })
}

/// Publishes the state of one connection.
#[cfg(feature = "amqp")]
pub(crate) struct LinkStateSender {
    pub(crate) bus_state: BusStateSender,
    pub(crate) part: fn(&mut BusState) -> &mut LinkState,
}

#[cfg(feature = "amqp")]
impl LinkStateSender {
    pub(crate) fn set(&self, state: LinkState) {
        self.bus_state.send_if_modified(|all| {
            let part = (self.part)(all);
            let changed = *part != state;
            *part = state;
            changed
        });
    }

    /// Publishes that the connection is down since `now`, or since the time that is already published.
    pub(crate) fn down(&self, why: &str, now: DateTime<Utc>) {
        let since = match (self.part)(&mut self.bus_state.borrow().clone()) {
            LinkState::Down { since, .. } => *since,
            _ => now,
        };
        self.set(LinkState::Down { why: why.to_owned(), since });
    }
}
