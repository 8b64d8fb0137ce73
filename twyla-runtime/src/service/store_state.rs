//! Counts the deliveries of a listener that wait for its dedupe store or its outbox, for logs, metrics and health.

use tokio::sync::watch;

use super::dedupe::Trouble;
use crate::telemetry::metrics::ListenerMetrics;

/// The state of the dedupe store and of the outbox of a listener: they fail as long as a delivery or a batch waits for them.
#[derive(Debug)]
pub(crate) struct StoreState {
    event: &'static str,
    group: &'static str,
    waiting: watch::Sender<WaitingForStore>,
}

/// The number of deliveries and batches that wait for the store, and the reason.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitingForStore {
    count: usize,
    /// The last error of the store.
    why: String,
}

impl WaitingForStore {
    /// Returns why the listener of `queue` isn't ready; `None` if no delivery waits.
    pub(crate) fn reason(&self, queue: &str) -> Option<String> {
        let Self { count, why } = self;
        (*count > 0)
            .then(|| format!("the events of `{queue}` wait until the dedupe store and the outbox work again: {why}"))
    }
}

impl StoreState {
    pub(crate) fn new(event: &'static str, group: &'static str) -> Self {
        Self { event, group, waiting: watch::Sender::default() }
    }

    /// Returns the watched state, for the service's health.
    pub(crate) fn subscribe(&self) -> watch::Receiver<WaitingForStore> {
        self.waiting.subscribe()
    }

    /// Records that a delivery or a batch waits no longer, because the store works. Logs it if no other one waits.
    pub(crate) fn works(&self, waits: Option<WaitsForStore>) {
        if waits.is_none() {
            return;
        }
        drop(waits);
        if self.waiting.borrow().count == 0 {
            let (event, group) = (self.event, self.group);
            tracing::info!(event, group, "the dedupe store and the outbox work again");
        }
    }

    /// Records that a delivery or a batch waits because of this failure; `waits` is its guard. Logs a warning for the first one
    /// that waits. Waiting for a busy store isn't recorded.
    pub(crate) fn fails(&self, trouble: &Trouble, metrics: &ListenerMetrics, waits: &mut Option<WaitsForStore>) {
        metrics.store_failed();
        let (event, group, error) = (self.event, self.group, &trouble.cause);
        if trouble.busy {
            tracing::debug!(event, group, error, "the dedupe store is busy: the event waits");
            return;
        }
        let mut is_first = false;
        self.waiting.send_modify(|waiting| {
            is_first = waiting.count == 0;
            waiting.count += usize::from(waits.is_none());
            waiting.why = error.to_string();
        });
        waits.get_or_insert_with(|| WaitsForStore(self.waiting.clone()));
        if is_first {
            tracing::warn!(
                event,
                group,
                error,
                "the dedupe store or the outbox fails: events wait until it works again, and these attempts don't count"
            );
        }
    }
}

/// A guard that counts a delivery or a batch as waiting for the store until the guard is dropped.
#[derive(Debug)]
pub(crate) struct WaitsForStore(watch::Sender<WaitingForStore>);

impl Drop for WaitsForStore {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| waiting.count -= 1);
    }
}
