//! The routes whose messages a channel's confirms have refused in a row.
//!
//! A quorum queue that is full tells each channel that publishes to it, and the channel then refuses for the queue. RabbitMQ 3.10
//! doesn't tell them again if the queue's limit is taken away: such a channel refuses for as long as it is open. So a message
//! that was refused again and again is tried on a new channel, and if that takes it, the old one is replaced.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::route::Route;

/// After so many refusals in a row a message is tried on a new channel.
const IN_A_ROW: u32 = 2;
/// A new channel is tried at most this often for a route: the queue may well be full for hours.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// The refusals of one channel.
#[derive(Debug, Default)]
pub(crate) struct Nacks(HashMap<(String, String), Refused>);

#[derive(Debug, Default)]
struct Refused {
    in_a_row: u32,
    /// When a new channel was tried last.
    tried: Option<Instant>,
}

impl Nacks {
    /// Notes the confirm of a message.
    pub(crate) fn note(&mut self, route: &Route<'_>, ack: bool) {
        if !ack {
            let refused = self.0.entry(route.name()).or_default();
            refused.in_a_row = refused.in_a_row.saturating_add(1);
        } else if !self.0.is_empty() {
            self.0.remove(&route.name());
        }
    }

    /// Whether the next message of this route is to be tried on a new channel; if so, the others of the next second are not.
    pub(crate) fn take_turn(&mut self, route: &Route<'_>, now: Instant) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Some(refused) = self.0.get_mut(&route.name()) else { return false };
        let waits = refused.tried.is_some_and(|tried| now.saturating_duration_since(tried) < BETWEEN_TRIES);
        let is_due = refused.in_a_row >= IN_A_ROW && !waits;
        if is_due {
            refused.tried = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Address;

    #[test]
    fn a_new_channel_is_tried_after_refusals_in_a_row_and_not_often() {
        let (mut nacks, now) = (Nacks::default(), Instant::now());
        let (full, free) = (Address::Back("full".into()), Address::Back("free".into()));
        let (full, free) = (Route::of(&full), Route::of(&free));
        nacks.note(&full, false);
        nacks.note(&full, true);
        nacks.note(&full, false);
        assert!(!nacks.take_turn(&full, now), "it was confirmed in between");
        nacks.note(&full, false);
        nacks.note(&free, true);
        assert!(!nacks.take_turn(&free, now));
        assert!(nacks.take_turn(&full, now));
        assert!(!nacks.take_turn(&full, now), "one at a time");
        assert!(nacks.take_turn(&full, now + BETWEEN_TRIES));
        nacks.note(&full, true);
        assert!(!nacks.take_turn(&full, now + 2 * BETWEEN_TRIES));
    }
}
