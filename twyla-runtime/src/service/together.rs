//! Handles deliveries that arrived together: in one task, except for handlers that wait or are slow.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::task::JoinSet;

use super::active_listener::ActiveListener;
use super::attempt::handle_in_turn;
use super::gather::Membership;
use crate::transport::Delivery;

/// Handles deliveries one after another. A handler that waits, or follows a slow one, runs in a separate task. If the future is
/// dropped, unhandled deliveries go back to their queue.
pub(crate) async fn handle_together(listening: Arc<ActiveListener>, deliveries: Vec<Delivery>) {
    let mut waiting = JoinSet::new();
    for delivery in deliveries {
        let mut handling = Box::pin(handle_in_turn(listening.clone(), delivery, Membership::default()));
        if !listening.pace.is_apart() {
            let begun = Instant::now();
            // the waker of this poll does nothing, because the new task polls the future again at once
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
