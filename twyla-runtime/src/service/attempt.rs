//! Handles one delivery: waits for a permit and for earlier handling of the message, and requeues or dead-letters the delivery after
//! its attempts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::active_listener::ActiveListener;
use super::attempts::{NextStep, attempts};
use super::gather::Membership;
use super::hold::HeldDelivery;
use super::phase::{self, Phase};
use super::recall::{HandlingGuard, VoidOutcome};
use super::requeue;
use super::verdict::{DeadLetterCause, Destination};
use crate::dead_letter::letter::Reason;
use crate::transport::Delivery;

/// Handles a delivery once a permit is free; in a batch listener, its batch has the permit, and events that may end the process take
/// turns. If the retry queue refuses the delivery, the delivery waits here without a permit and is then handled again.
pub(crate) async fn handle_in_turn(listening: Arc<ActiveListener>, mut delivery: Delivery, mut membership: Membership) {
    if delivery.ack.is_void() {
        // The connection was lost while the delivery waited; the broker delivers the event again.
        return;
    }
    let Some((guard, mut known)) = begin(&listening, &delivery).await else { return };
    loop {
        let places = match &listening.gathering {
            None => listening.places.as_ref(),
            Some(gathering) => listening.is_suspect(&delivery).then_some(&gathering.suspects),
        };
        let place = match places {
            Some(places) => delivery.progress.acquire(places).await,
            None => None,
        };
        if place.is_some() && *listening.stopping.borrow() != Phase::Running {
            // The delivery is dropped, and so goes back to its queue.
            return;
        }
        let progress = delivery.progress.clone();
        let held = handle(&listening, delivery, guard.as_ref(), known.take(), &mut membership).await;
        progress.release(place, places);
        let Some(held) = held else { return };
        let Some(again) = held.wait(&listening, guard.as_ref()).await else { return };
        delivery = again;
    }
}

/// Registers a message as being handled, if it has an id. For a redelivered message, waits until its earlier handling has ended, and
/// returns its known outcome, if any. `None` if the service stops meanwhile.
async fn begin<'a>(
    listening: &'a ActiveListener,
    delivery: &Delivery,
) -> Option<(Option<HandlingGuard<'a>>, Option<VoidOutcome>)> {
    match delivery.message_id.as_deref() {
        None => Some((None, None)),
        Some(id) if delivery.redeliveries == 0 => Some((Some(listening.recall.begin(id)), None)),
        Some(id) => {
            let mut stopping = listening.stopping.clone();
            tokio::select! {
                biased;
                (guard, known) = listening.recall.begin_again(id) => Some((Some(guard), known)),
                () = phase::stopping(&mut stopping) => None,
            }
        }
    }
}

/// Handles one delivery until it is settled or must be held. If the future is dropped, the delivery goes back to its queue.
async fn handle(
    listening: &ActiveListener,
    delivery: Delivery,
    guard: Option<&HandlingGuard<'_>>,
    known: Option<VoidOutcome>,
    membership: &mut Membership,
) -> Option<Box<HeldDelivery>> {
    if delivery.ack.is_void() {
        if let (Some(guard), Some(known)) = (guard, known) {
            guard.remember(known);
        }
        return None;
    }
    let next = match known {
        Some(VoidOutcome::Decided(decision)) => {
            listening.settle(&delivery, decision);
            NextStep::Settled
        }
        Some(VoidOutcome::DeadLetter(verdict)) => NextStep::DeadLetter(verdict),
        Some(VoidOutcome::Held(mut way)) => {
            if let Destination::Dead(message) = &mut way {
                message.body = delivery.body.clone();
            }
            let why = "the broker took the delivery back before the event was moved to another queue".to_owned();
            return Some(Box::new(HeldDelivery { delivery, way, why }));
        }
        Some(VoidOutcome::Failed(failed, due)) => attempts(listening, &delivery, Some((failed, due)), membership).await,
        None => match refused_unread(listening, &delivery) {
            Some(verdict) => NextStep::DeadLetter(verdict),
            None => attempts(listening, &delivery, None, membership).await,
        },
    };
    if delivery.ack.is_void() {
        if let (Some(guard), Some(known)) = (guard, next.known(&delivery)) {
            guard.remember(known);
        }
        return None;
    }
    let ack = delivery.ack.clone();
    let held = match next {
        NextStep::Settled | NextStep::Void(..) => None,
        NextStep::Later(pause, failed) => requeue::postpone(listening, delivery, pause, failed).await,
        NextStep::DeadLetter(verdict) => requeue::dead_letter(listening, delivery, verdict).await,
    };
    // the delivery was moved to another queue while the broker took it back
    if let Some(guard) = guard {
        guard.remember_if_void(&ack);
    }
    held
}

/// Returns the cause if a delivery is dead-lettered unread: it was redelivered too often, or is too large.
fn refused_unread(listening: &ActiveListener, delivery: &Delivery) -> Option<DeadLetterCause> {
    let (bytes, most) = (delivery.body.len(), listening.bus.max_event());
    let (reason, error) = if redelivered_too_often(listening, delivery) {
        let error = format!(
            "the event was delivered {} times without an outcome: each time the service ended, lost its connection or returned the event",
            delivery.redeliveries
        );
        (Reason::Redelivered, error)
    } else if bytes > most {
        (Reason::Size, format!("the event has {bytes} bytes, at most {most} are allowed"))
    } else {
        return None;
    };
    Some(DeadLetterCause { failed: delivery.failed(), ..DeadLetterCause::of(reason, error) })
}

/// Returns whether a delivery is dead-lettered because it was redelivered too often. The unacked events of a batch listener have the count
/// of the one that ends the process: that is the first of them, and the others are tried.
fn redelivered_too_often(listening: &ActiveListener, delivery: &Delivery) -> bool {
    let (times, limit) = (delivery.redeliveries, listening.redeliveries);
    times > limit
        && listening.gathering.as_ref().is_none_or(|gathering| {
            times > limit.saturating_mul(2) || !gathering.has_refused.swap(true, Ordering::Relaxed)
        })
}
