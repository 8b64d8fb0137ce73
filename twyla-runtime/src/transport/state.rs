//! Whether the bus is connected, for whoever wants to see it.

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// How a bus stands with its broker: what [`Bus::state`](crate::Bus::state) shows.
///
/// Over RabbitMQ, publishing and consuming have a connection each. In memory both are up until the bus is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusState {
    /// The connection that events are published on.
    pub publish: LinkState,
    /// The connection that events are consumed on.
    pub consume: LinkState,
}

impl BusState {
    /// Whether events can be both published and consumed now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.publish == LinkState::Up && self.consume == LinkState::Up
    }
}

/// How one connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// It is connected.
    Up,
    /// It is connected, but the broker takes no messages: it is short of memory or disk.
    Blocked {
        /// What the broker says.
        why: String,
    },
    /// It is lost, and being made again.
    Down {
        /// What stands in the way.
        why: String,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// The bus is closed.
    Closed,
}

/// Where the state is told.
pub(crate) type States = watch::Sender<BusState>;

/// A state that nobody has said anything of yet.
pub(crate) fn states(first: LinkState) -> States {
    watch::Sender::new(BusState { publish: first.clone(), consume: first })
}

/// Where one connection tells of itself.
#[cfg(feature = "amqp")]
pub(crate) struct Line {
    pub(crate) states: States,
    pub(crate) part: fn(&mut BusState) -> &mut LinkState,
}

#[cfg(feature = "amqp")]
impl Line {
    pub(crate) fn set(&self, state: LinkState) {
        self.states.send_if_modified(|all| {
            let part = (self.part)(all);
            let changed = *part != state;
            *part = state;
            changed
        });
    }

    /// It is lost `now`, or still is.
    pub(crate) fn down(&self, why: &str, now: DateTime<Utc>) {
        let since = match (self.part)(&mut self.states.borrow().clone()) {
            LinkState::Down { since, .. } => *since,
            _ => now,
        };
        self.set(LinkState::Down { why: why.to_owned(), since });
    }
}
