//! Logs handlers that run for long or block their thread.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::active_listener::ActiveListener;
use crate::background;

/// The interval between two checks of the handlers.
const LOOK: Duration = Duration::from_millis(500);

/// Logs a warning for each handler that runs for longer than half of the broker's `consumer_timeout` or blocks its thread, until the
/// service is dropped. Runs on a separate thread, because handlers may block all threads of the service.
pub(crate) fn watch(listening: &Arc<ActiveListener>) {
    background::spawn(check(Arc::downgrade(listening)));
}

async fn check(listening: Weak<ActiveListener>) {
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
                "a handler has run for half of the broker's `consumer_timeout`: after the whole timeout the broker takes the \
                 event back and delivers it again"
            );
        }
        for time in listening.runs.blocking() {
            warn(&listening, time, "a handler blocks its thread, so that nothing else runs on it");
        }
    }
}

/// Logs a handler that blocks its thread, or has blocked it.
pub(crate) fn warn(listening: &ActiveListener, time: Duration, what: &str) {
    let (event, group, handler) = (listening.queue.event, listening.queue.group, listening.listener.handler);
    tracing::warn!(event, group, handler, ?time, "{what}: use async calls, or `tokio::task::spawn_blocking`");
}
