//! The pauses of a running listener after failures, as reported in logs, metrics and health.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::watch;
use tokio::time::sleep;

use super::breaker::{Breaker, Entry, PauseAfter};
use super::phase::{self, Phase};
use crate::telemetry::metrics::ListenerMetrics;
use crate::truncate::ellipsized;

/// The longest error in the warning of a pause, in bytes.
const MOST_OF_AN_ERROR: usize = 500;

/// The circuit breaker of a listener, with the pause that lasts now.
pub(crate) struct Pauses {
    event: &'static str,
    group: &'static str,
    after: PauseAfter,
    breaker: Mutex<Breaker>,
    /// The reason of the pause that lasts now.
    current: watch::Sender<Option<String>>,
    /// The number of the last pause.
    number: Mutex<u64>,
    metrics: ListenerMetrics,
    stopping: watch::Receiver<Phase>,
}

impl Pauses {
    pub(crate) fn new(
        after: PauseAfter,
        (event, group): (&'static str, &'static str),
        metrics: ListenerMetrics,
        stopping: watch::Receiver<Phase>,
    ) -> Arc<Self> {
        let breaker = Mutex::new(Breaker::new(after));
        let current = watch::Sender::new(None);
        Arc::new(Self { event, group, after, breaker, current, number: Mutex::new(0), metrics, stopping })
    }

    /// Returns the reason of the pause that lasts now, for the service's health.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.current.subscribe()
    }

    /// Returns whether an event may be handled now.
    pub(crate) fn enter(&self, now: Duration) -> Entry {
        let entry = self.breaker().enter(now);
        if entry == Entry::HalfOpen {
            self.ends();
        }
        entry
    }

    /// Returns whether no pause lasts, and none waits for the event that decides.
    pub(crate) fn is_closed(&self) -> bool {
        self.breaker().is_closed()
    }

    /// Reports that an event was handled; `decides` if it has entered half-open.
    pub(crate) fn handled(&self, decides: bool) {
        if self.breaker().handled(decides) {
            let (event, group) = (self.event, self.group);
            tracing::info!(event, group, "the first event after the pause was handled: the listener goes on");
        }
    }

    /// Reports that an attempt failed; `decides` if its event has entered half-open.
    pub(crate) fn failed(self: &Arc<Self>, decides: bool, error: &str, now: Duration) {
        if !self.breaker().failed(decides, now) {
            return;
        }
        let Self { event, group, after: PauseAfter { failures, within, pause }, .. } = **self;
        let error = ellipsized(error, MOST_OF_AN_ERROR);
        let cause = match decides {
            true => "the first event after a pause failed".to_owned(),
            false => format!("{failures} attempts failed within {within:?}"),
        };
        // update the state before logging, so that the log can be trusted
        // anyone who reaches the service may read the reason: it has no text of a handler, which may be about an event
        let number = self.begins(format!("for {pause:?} from {}: {cause}", Utc::now().to_rfc3339()));
        tracing::warn!(event, group, ?pause, error, "the listener pauses, and its events wait: {cause}");
        // the pause ends for health and metrics even if no event waits for its end
        let (pauses, mut stopping) = (Arc::downgrade(self), self.stopping.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = sleep(pause) => {}
                () = phase::stopping(&mut stopping) => {}
            }
            let Some(pauses) = pauses.upgrade() else { return };
            let current = pauses.number();
            if *current == number {
                pauses.ends();
            }
        });
    }

    /// Reports that a pause begins; returns its number.
    fn begins(&self, reason: String) -> u64 {
        let mut number = self.number();
        *number += 1;
        self.current.send_replace(Some(reason));
        self.metrics.pauses();
        *number
    }

    /// Reports that the pause is over.
    fn ends(&self) {
        if self.current.send_if_modified(|reason| reason.take().is_some()) {
            self.metrics.goes_on();
            let (event, group) = (self.event, self.group);
            tracing::info!(
                event,
                group,
                "the pause of the listener is over: the next event decides whether it goes on"
            );
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> MutexGuard<'_, u64> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
