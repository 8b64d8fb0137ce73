//! The consumer loop of one listener: takes deliveries until the service stops, then drains without losing any.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::{sleep_until, timeout_at};

use super::active_listener::ActiveListener;
use super::attempt::handle_in_turn;
use super::batch_intake::BatchIntake;
use super::gather::Membership;
use super::key_order::KeyOrder;
use super::phase::Phase;
use super::shutdown::ShutdownDeadlines;
use super::together::handle_together;
use crate::progress::DeliveryProgress;
use crate::transport::{Delivery, Subscription};

/// The maximum number of bursts (deliveries that arrived together) that one iteration takes.
const BATCH: usize = 64;
/// The maximum number of deliveries that share a task.
const TOGETHER: usize = 16;

/// Runs one listener until the service stops, then drains it.
pub(crate) async fn serve(listening: Arc<ActiveListener>, subscription: Subscription, deadline: Duration) {
    let Subscription { mut deliveries, stop, done, .. } = subscription;
    let (event, group) = (listening.queue.event, listening.queue.group);
    let mut phase = listening.stopping.clone();
    let mut handlers = JoinSet::new();
    let mut taken: Vec<Vec<Delivery>> = Vec::with_capacity(BATCH);
    // The key of each running handler, if events are ordered by a key.
    let (mut order, mut begun) = (KeyOrder::<Delivery>::default(), HashMap::<Id, (u64, DeliveryProgress)>::new());
    let mut batched = Vec::new();
    let mut batches = listening.gathering.is_some().then(|| BatchIntake::new(listening.clone()));
    loop {
        tokio::select! {
            biased;
            // An error means that the `Running` was dropped.
            _ = phase.wait_for(|phase| *phase != Phase::Running) => break,
            Some(ended) = handlers.join_next_with_id() => {
                let ended = ended.map_or_else(|error| error.id(), |(id, ())| id);
                if let Some(batches) = &mut batches {
                    batches.ended(ended, &mut handlers);
                } else if let Some((key, ended)) = begun.remove(&ended)
                    && let Some(delivery) = order.leave(key)
                {
                    let progress = delivery.progress.clone();
                    progress.wake();
                    // dropped only after the next delivery has begun: observers always see one in progress
                    drop(ended);
                    begun.insert(handlers.spawn(handle_in_turn(listening.clone(), delivery, Membership::default())).id(), (key, progress));
                }
            }
            count = deliveries.recv_many(&mut taken, BATCH) => {
                if count == 0 {
                    break;
                }
                let read = |delivery: Delivery| delivery.read_cloud_event(event, listening.bus.max_event());
                let mut next = taken.drain(..).flatten().map(read);
                if batches.is_some() {
                    batched.extend(next);
                } else if !listening.is_ordered() {
                    loop {
                        let together: Vec<_> = next.by_ref().take(TOGETHER).collect();
                        if together.is_empty() {
                            break;
                        }
                        handlers.spawn(handle_together(listening.clone(), together));
                    }
                    // removes finished handlers from the set
                    while handlers.try_join_next().is_some() {}
                } else {
                    for delivery in next {
                        match listening.key_hash(&delivery) {
                            None => {
                                handlers.spawn(handle_in_turn(listening.clone(), delivery, Membership::default()));
                            }
                            Some(key) => {
                                let progress = delivery.progress.clone();
                                match order.enter(key, delivery) {
                                    Some(delivery) => {
                                        let handler = handle_in_turn(listening.clone(), delivery, Membership::default());
                                        begun.insert(handlers.spawn(handler).id(), (key, progress));
                                    }
                                    None => progress.rest(),
                                }
                            }
                        }
                    }
                }
            }
        }
        let Some(batches) = &mut batches else { continue };
        for (count, delivery) in batched.drain(..).enumerate() {
            batches.take(delivery, &mut handlers);
            if count % TOGETHER == TOGETHER - 1 {
                // decoding doesn't wait, and other tasks need the thread too
                tokio::task::yield_now().await;
            }
        }
    }
    drop(stop);
    // Deliveries whose handler has not started go back to their queue.
    drop((taken, deliveries, order, batches));

    let mut ending = ShutdownDeadlines::within(deadline);
    tokio::select! {
        () = async { while handlers.join_next().await.is_some() {} } => {}
        () = sleep_until(ending.handlers) => {}
        Ok(_) = phase.wait_for(|phase| *phase == Phase::Ending) => ending = ending.hurry(),
    }
    let last_steps = async {
        if !handlers.is_empty() {
            tracing::warn!(event, group, "handlers were stopped: their events return to the queue");
            // A handler that blocks its thread can't be stopped; its event goes back when the connection is closed.
            handlers.shutdown().await;
        }
        done.await;
    };
    let _ = timeout_at(ending.steps, last_steps).await;
    tracing::info!(event, group, "stopped listening");
}
