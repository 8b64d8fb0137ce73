//! Handles deliveries that arrived together: in one task as long as their handlers don't wait, otherwise in a task each.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::task::JoinSet;

use super::active_listener::ActiveListener;
use super::attempt::handle_in_turn;
use crate::transport::Delivery;

/// Handles deliveries, concurrently as soon as one waits. If the future is dropped, unhandled deliveries go back to their queue.
pub(crate) async fn handle_together(listening: Arc<ActiveListener>, deliveries: Vec<Delivery>) {
    let mut waiting = JoinSet::new();
    for delivery in deliveries {
        let mut handling = Box::pin(handle_in_turn(listening.clone(), delivery));
        if !listening.pace.is_apart() {
            let begun = Instant::now();
            // The new task polls it again at once, so its waker isn't lost.
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
