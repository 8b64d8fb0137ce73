//! Deliveries that came together: one task sees to those whose handlers end without waiting, any other gets its own.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::task::JoinSet;

use super::active_listener::Listening;
use super::attempt::handle_in_turn;
use crate::transport::Delivery;

/// Handles deliveries, side by side as soon as one waits for something. If this is dropped on the way, what isn't handled
/// goes back to its queue.
pub(crate) async fn handle_together(listening: Arc<Listening>, deliveries: Vec<Delivery>) {
    let mut waiting = JoinSet::new();
    for delivery in deliveries {
        let mut handling = Box::pin(handle_in_turn(listening.clone(), delivery));
        if !listening.pace.is_apart() {
            let begun = Instant::now();
            // Whoever gets it polls it again at once.
            let polled = handling.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            listening.pace.took(begun.elapsed());
            if let Poll::Ready(()) = polled {
                continue;
            }
        }
        waiting.spawn(handling);
    }
    while waiting.join_next().await.is_some() {}
}
