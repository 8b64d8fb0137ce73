//! Warns of handlers that run for long or block their thread.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::active_listener::ActiveListener;
use crate::background;

/// How often handlers are checked.
const LOOK: Duration = Duration::from_millis(500);

/// Warns of each handler that runs for longer than half of the broker's `consumer_timeout`, or keeps its thread, as long as its
/// service is there: on a thread of its own, as the handler may keep all others.
pub(crate) fn watch(listening: &Arc<ActiveListener>) {
    background::spawn(look_after(Arc::downgrade(listening)));
}

async fn look_after(listening: Weak<ActiveListener>) {
    loop {
        sleep(LOOK).await;
        let Some(listening) = listening.upgrade() else { return };
        let (event, group, timeout) = (listening.queue.event, listening.queue.group, listening.consumer_timeout);
        let handler = listening.listener.handler;
        let handlers = listening.runs.overlong(timeout / 2);
        if handlers > 0 {
            tracing::warn!(
                event,
                group,
                handler,
                handlers,
                ?timeout,
                "a handler has run for half of the broker's `consumer_timeout`: after all of it the broker takes the event back \
                 and delivers it again"
            );
        }
        for time in listening.runs.keeps() {
            keeps(&listening, time, "a handler blocks its thread, and nothing else runs on it");
        }
    }
}

/// Warns of a handler that keeps its thread, or has.
pub(crate) fn keeps(listening: &ActiveListener, time: Duration, what: &str) {
    let (event, group, handler) = (listening.queue.event, listening.queue.group, listening.listener.handler);
    tracing::warn!(event, group, handler, ?time, "{what}: it should await, or work in `tokio::task::spawn_blocking`");
}
