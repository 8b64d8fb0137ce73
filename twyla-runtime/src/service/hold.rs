//! Holds deliveries whose dead queue or retry queue refuses them: they stay in this process, unacked.
//!
//! A dead letter is published again with growing pauses; a retry waits out its pause here. A held delivery counts against the prefetch,
//! but not against the concurrency limit of handlers.

use std::time::Duration;

use tokio::time::Instant;

use super::active_listener::ActiveListener;
use super::phase::{Phase, stopping};
use super::recall::{HandlingGuard, VoidOutcome};
use super::retry::doubled;
use super::verdict::Destination;
use crate::transport::{Delivery, Outgoing, PublishFailure, Unpublished};

/// The first and the longest pause between two publishes to a dead queue.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// A delivery that its dead queue or retry queue has refused.
pub(crate) struct HeldDelivery {
    pub(crate) delivery: Delivery,
    pub(crate) way: Destination,
    /// The reason of the refusal.
    pub(crate) why: String,
}

impl HeldDelivery {
    /// Waits until the delivery is dead-lettered, or returns it when its next attempt is due. After half of the broker's
    /// `consumer_timeout` the delivery goes back to its queue, and is held again when it is redelivered. A message without an id
    /// couldn't be recognised after its redelivery: it is handled again instead, even if its next attempt isn't due yet.
    pub(crate) async fn wait(self, listening: &ActiveListener, guard: Option<&HandlingGuard<'_>>) -> Option<Delivery> {
        let Self { mut delivery, way, why } = self;
        let _held = listening.metrics.hold();
        let back = match way {
            Destination::Dead(message) => match dead_letter(listening, &delivery, &message, &why).await {
                DeadLettering::Done => {
                    if let Some(guard) = guard {
                        guard.remember_if_void(&delivery.ack);
                    }
                    None
                }
                DeadLettering::Back => Some(Destination::Dead(message)),
            },
            Destination::Retry(due, headers) => {
                let half = delivery.arrived + listening.consumer_timeout / 2;
                let left = due.min(half).saturating_duration_since(Instant::now());
                let in_time = due <= half || guard.is_none();
                if pause(listening, &delivery, left).await && in_time && !delivery.ack.is_void() {
                    delivery.headers = headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
                    return Some(delivery);
                }
                Some(Destination::Retry(due, headers))
            }
        };
        if let (Some(guard), Some(way)) = (guard, back) {
            guard.remember(VoidOutcome::Held(way));
        }
        None
    }
}

/// The outcome of dead-lettering a held delivery.
enum DeadLettering {
    Done,
    /// The delivery is returned to its queue, because it is dropped without a decision.
    Back,
}

async fn dead_letter(listening: &ActiveListener, delivery: &Delivery, message: &Outgoing, why: &str) -> DeadLettering {
    let holding = listening.hold.hold(why);
    let (event, group, message_id) = (listening.queue.event, listening.queue.group, delivery.message_id.as_deref());
    // after half of the timeout the delivery goes back to its queue, which delivers it again
    let until = delivery.arrived + listening.consumer_timeout / 2;
    let mut times = 0;
    while Instant::now() < until && pause(listening, delivery, doubled(FIRST, LONGEST, times)).await {
        if delivery.ack.is_void() {
            // the connection was lost: the broker delivers the message again
            return DeadLettering::Back;
        }
        let deadline = Instant::now() + listening.bus.emit_deadline();
        match listening.bus.transport().publish(message.clone(), deadline).await {
            Ok(()) => {
                delivery.ack.ack();
                listening.metrics.dead_lettered();
                tracing::info!(event, group, message_id, "the event was dead-lettered after waiting");
                return DeadLettering::Done;
            }
            Err(Unpublished { cause: PublishFailure::Closed, .. }) => return DeadLettering::Back,
            Err(failure) => {
                tracing::warn!(
                    event,
                    group,
                    message_id,
                    error = failure.why,
                    "the event still can't be dead-lettered and waits in this process"
                );
                holding.fails_again(&failure.why);
            }
        }
        times += 1;
    }
    DeadLettering::Back
}

/// Waits for the pause to end; returns `false` if the service stops.
async fn pause(listening: &ActiveListener, delivery: &Delivery, pause: Duration) -> bool {
    let mut phase = listening.stopping.clone();
    tokio::select! {
        () = delivery.progress.pause(pause) => *phase.borrow() == Phase::Running,
        () = stopping(&mut phase) => false,
    }
}
