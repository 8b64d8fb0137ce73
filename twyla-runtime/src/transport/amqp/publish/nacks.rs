//! Consecutive nacks of a channel, by route.
//!
//! A full quorum queue notifies the channels that publish to it, and each channel then sends nacks on the queue's behalf. RabbitMQ
//! 3.10 doesn't notify them again when the queue's limit is removed: such a channel sends nacks as long as it is open. Therefore a
//! message that is nacked repeatedly is tried on a new channel, which replaces the old one if it is accepted.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::route::AmqpRoute;

/// The number of consecutive nacks after which a message is tried on a new channel.
const IN_A_ROW: u32 = 2;
/// The shortest time between two new channels for a route: the queue may be full for hours.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// The consecutive nacks of one channel, by route.
#[derive(Debug, Default)]
pub(crate) struct Nacks(HashMap<(String, String), NackedRoute>);

#[derive(Debug, Default)]
struct NackedRoute {
    in_a_row: u32,
    /// When a new channel was last tried.
    tried: Option<Instant>,
}

impl Nacks {
    /// Records an ack or a nack.
    pub(crate) fn note(&mut self, route: &AmqpRoute<'_>, ack: bool) {
        if !ack {
            let refused = self.0.entry(route.name()).or_default();
            refused.in_a_row = refused.in_a_row.saturating_add(1);
        } else if !self.0.is_empty() {
            self.0.remove(&route.name());
        }
    }

    /// Returns whether to try the next message of this route on a new channel. After `true`, returns `false` for a second.
    pub(crate) fn take_turn(&mut self, route: &AmqpRoute<'_>, now: impl FnOnce() -> Instant) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Some(refused) = self.0.get_mut(&route.name()) else { return false };
        let now = now();
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
    use crate::transport::PublishTarget;

    #[test]
    fn a_new_channel_is_tried_after_refusals_in_a_row_and_not_often() {
        let (mut nacks, now) = (Nacks::default(), Instant::now());
        let (full, free) = (PublishTarget::Back("full".into()), PublishTarget::Back("free".into()));
        let (full, free) = (AmqpRoute::of(&full), AmqpRoute::of(&free));
        nacks.note(&full, false);
        nacks.note(&full, true);
        nacks.note(&full, false);
        assert!(!nacks.take_turn(&full, || now), "it was confirmed in between");
        nacks.note(&full, false);
        nacks.note(&free, true);
        assert!(!nacks.take_turn(&free, || now));
        assert!(nacks.take_turn(&full, || now));
        assert!(!nacks.take_turn(&full, || now), "one at a time");
        assert!(nacks.take_turn(&full, || now + BETWEEN_TRIES));
        nacks.note(&full, true);
        assert!(!nacks.take_turn(&full, || now + 2 * BETWEEN_TRIES));
    }
}
