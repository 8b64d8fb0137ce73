//! Deliveries that can't be set aside, since their dead queue or retry queue doesn't take them: they stay here, unacked.
//!
//! Nothing is lost and nothing runs in a loop: what can't be dead-lettered is tried again with growing pauses, and what can't
//! go into a retry queue has its pause here. Each takes a place of the prefetch meanwhile, and no place of a handler.

use std::time::Duration;

use tokio::time::Instant;

use super::active_listener::Listening;
use super::phase::{Phase, stopping};
use super::recall::{Guard, Known};
use super::retry::doubled;
use super::verdict::Way;
use crate::transport::{Cause, Delivery, Outgoing, Unpublished};

/// The pauses between two tries at a dead queue.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// A delivery that couldn't be set aside.
pub(crate) struct Held {
    pub(crate) delivery: Delivery,
    pub(crate) way: Way,
    /// Why it couldn't.
    pub(crate) why: String,
}

impl Held {
    /// Waits until it is dead-lettered, or is to be handled again: then it is returned. After half of the broker's timeout it
    /// goes back to its queue; that is remembered, and it is held again when it comes back. A message without an id, which can't
    /// be known again, is handled again then.
    pub(crate) async fn wait(self, listening: &Listening, guard: Option<&Guard<'_>>) -> Option<Delivery> {
        let Self { mut delivery, way, why } = self;
        let _held = listening.figures.hold();
        let back = match way {
            Way::Dead(message) => match dead_letter(listening, &delivery, &message, &why).await {
                Left::Done => {
                    if let Some(guard) = guard {
                        guard.remember_if_void(&delivery.ack);
                    }
                    None
                }
                Left::Back => Some(Way::Dead(message)),
            },
            Way::Retry(due, headers) => {
                let half = delivery.arrived + listening.consumer_timeout / 2;
                let left = due.min(half).saturating_duration_since(Instant::now());
                let in_time = due <= half || guard.is_none();
                if pause(listening, &delivery, left).await && in_time && !delivery.ack.is_void() {
                    delivery.headers = headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
                    return Some(delivery);
                }
                Some(Way::Retry(due, headers))
            }
        };
        if let (Some(guard), Some(way)) = (guard, back) {
            guard.remember(Known::Held(way));
        }
        None
    }
}

/// What has become of a delivery that was to be dead-lettered.
enum Left {
    Done,
    /// It goes back to its queue, as what is dropped undecided does.
    Back,
}

async fn dead_letter(listening: &Listening, delivery: &Delivery, message: &Outgoing, why: &str) -> Left {
    let holding = listening.hold.hold(why);
    let (event, group, message_id) = (listening.queue.event, listening.queue.group, delivery.message_id.as_deref());
    // after half of its time the delivery goes back, and comes again
    let until = delivery.arrived + listening.consumer_timeout / 2;
    let mut times = 0;
    while Instant::now() < until && pause(listening, delivery, doubled(FIRST, LONGEST, times)).await {
        if delivery.ack.is_void() {
            // Its connection was lost: the broker delivers it again.
            return Left::Back;
        }
        let deadline = Instant::now() + listening.bus.emit_deadline();
        match listening.bus.transport().publish(message.clone(), deadline).await {
            Ok(()) => {
                delivery.ack.ack();
                listening.figures.parked();
                tracing::info!(event, group, message_id, "parked at last");
                return Left::Done;
            }
            Err(Unpublished { cause: Cause::Closed, .. }) => return Left::Back,
            Err(failure) => {
                tracing::warn!(event, group, message_id, error = failure.why, "still can't be parked, waits here");
                holding.fails_again(&failure.why);
            }
        }
        times += 1;
    }
    Left::Back
}

/// `false` if the service stops meanwhile.
async fn pause(listening: &Listening, delivery: &Delivery, pause: Duration) -> bool {
    let mut phase = listening.stopping.clone();
    tokio::select! {
        () = delivery.progress.pause(pause) => *phase.borrow() == Phase::Running,
        () = stopping(&mut phase) => false,
    }
}
