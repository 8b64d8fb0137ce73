//! The state of a listener's dedupe store, as reported in logs, metrics and health.

use tokio::sync::watch;

use super::dedupe::Trouble;
use crate::telemetry::metrics::ListenerMetrics;

/// The state of a listener's dedupe store after its last use.
#[derive(Debug)]
pub(crate) struct StoreState {
    event: &'static str,
    group: &'static str,
    /// The error of the store's last use, if that failed.
    trouble: watch::Sender<Option<String>>,
}

impl StoreState {
    pub(crate) fn new(event: &'static str, group: &'static str) -> Self {
        Self { event, group, trouble: watch::Sender::new(None) }
    }

    /// Returns the watched state, for the service's health.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// Records a successful use. Logs the first success after a failure.
    pub(crate) fn works(&self) {
        if self.trouble.borrow().is_none() {
            return;
        }
        let was_in_trouble = self.trouble.send_if_modified(|trouble| trouble.take().is_some());
        if was_in_trouble {
            let (event, group) = (self.event, self.group);
            tracing::info!(event, group, "the dedupe store and the outbox work again");
        }
    }

    /// Records a failure. Logs a warning for the first failure after a success. A busy store isn't recorded as failing.
    pub(crate) fn fails(&self, trouble: &Trouble, metrics: &ListenerMetrics) {
        metrics.store_failed();
        let (event, group, error) = (self.event, self.group, &trouble.cause);
        if trouble.busy {
            tracing::debug!(event, group, error, "the dedupe store is busy: the event waits");
            return;
        }
        let is_new = self.trouble.send_if_modified(|known| {
            let is_new = known.is_none();
            *known = Some(error.to_string());
            is_new
        });
        if is_new {
            tracing::warn!(
                event,
                group,
                error,
                "the dedupe store or the outbox fails: events wait until it works again, and these attempts don't count"
            );
        }
    }
}
