//! The limits of a running listener, which its events pass one after another.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep};

use super::breaker::PauseAfter;
use super::dedupe::Dedupe;
use super::pauses::Pauses;
use super::phase::Phase;
use super::rate::Rate;
use super::rate_limit::RateLimit;
use crate::bus::config::FOREVER;
use crate::progress::DeliveryProgress;
use crate::telemetry::metrics::ListenerMetrics;
use crate::transport::QueueSpec;

/// The limits of a listener.
pub(crate) struct Limits {
    /// Held by the event, or the batch, that passes next.
    turn: Arc<Semaphore>,
    /// When the listener began, on its clock.
    begun: Instant,
    pub(crate) rate: Option<RateLimit>,
    pub(crate) pauses: Option<Arc<Pauses>>,
}

/// The limits that the attribute of a listener or its service sets.
#[derive(Clone, Copy)]
pub(crate) struct LimitSettings {
    pub(crate) rate: Option<Rate>,
    pub(crate) pause_after: Option<PauseAfter>,
}

impl LimitSettings {
    /// Bounds the times, so that they can be added to the current one.
    pub(crate) fn bounded(self) -> Self {
        let rate = self.rate.map(|rate| Rate { per: rate.per.min(FOREVER), ..rate });
        let pause_after = self.pause_after.map(|after| PauseAfter {
            within: after.within.min(FOREVER),
            pause: after.pause.min(FOREVER),
            ..after
        });
        Self { rate, pause_after }
    }

    /// Returns how many of `prefetch` events can be handled within this time, at least `least`: more of them would wait in this process
    /// until they have to go back.
    pub(crate) fn prefetch(self, prefetch: u16, least: u16, time: Duration) -> u16 {
        let most = self.rate.map(|rate| rate.events_in(time));
        most.and_then(|most| u16::try_from(most).ok()).map_or(prefetch, |most| prefetch.min(most.max(least)))
    }
}

impl Limits {
    /// Returns the limits of a queue's listener, which handles at most `largest` events at once, if there are any.
    pub(crate) fn new(
        settings: LimitSettings,
        largest: u16,
        queue: &QueueSpec,
        dedupe: Option<&Dedupe>,
        metrics: &ListenerMetrics,
        stopping: &watch::Receiver<Phase>,
    ) -> Option<Self> {
        let (event, group) = (queue.event, queue.group);
        let store = dedupe.map(|dedupe| &dedupe.store);
        let rate = settings.rate.map(|rate| RateLimit::new(rate, largest, store, &queue.name));
        if let Some(rate) = &rate {
            let of = if rate.is_shared() { "all members of the group together" } else { "this member" };
            tracing::info!(event, group, of, "the rate of the listener is limited");
        }
        let pauses =
            settings.pause_after.map(|after| Pauses::new(after, (event, group), metrics.clone(), stopping.clone()));
        let limits = Self { turn: Arc::new(Semaphore::new(1)), begun: Instant::now(), rate, pauses };
        (limits.rate.is_some() || limits.pauses.is_some()).then_some(limits)
    }

    /// Returns the time since the listener began, on the clock of its deliveries.
    pub(crate) fn now(&self, progress: &DeliveryProgress) -> Duration {
        progress.virtual_time().unwrap_or_else(|| self.begun.elapsed())
    }

    /// Waits until those have passed that came before.
    pub(crate) async fn turn(&self, progress: &DeliveryProgress) -> Turn<'_> {
        Turn { limits: self, progress: progress.clone(), permit: progress.acquire(&self.turn).await }
    }
}

/// The turn of an event. The next one has its turn when this is dropped.
pub(crate) struct Turn<'a> {
    limits: &'a Limits,
    progress: DeliveryProgress,
    permit: Option<OwnedSemaphorePermit>,
}

/// The right of an event, or of a batch, to be handled once.
pub(crate) struct Pass<'a> {
    limits: Option<&'a Limits>,
    progress: DeliveryProgress,
    /// The turn of an event that decides whether a listener goes on after a pause: no other event passes until it has ended.
    decides: Option<Turn<'a>>,
}

/// What the end of an attempt says about the handler.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Works,
    /// With the error.
    Fails(String),
    /// The event was skipped or refused.
    Unknown,
}

impl<'a> Pass<'a> {
    /// Returns the pass of an event whose listener has no limits.
    pub(crate) fn free() -> Self {
        Self { limits: None, progress: DeliveryProgress::default(), decides: None }
    }

    pub(crate) fn of(limits: &'a Limits, progress: &DeliveryProgress, decides: Option<Turn<'a>>) -> Self {
        Self { limits: Some(limits), progress: progress.clone(), decides }
    }

    /// Returns whether a pause has begun since the event passed.
    pub(crate) fn is_stale(&self) -> bool {
        let pauses = self.limits.and_then(|limits| limits.pauses.as_ref());
        self.decides.is_none() && pauses.is_some_and(|pauses| !pauses.is_closed())
    }

    /// Runs the attempt. One that decides and doesn't end within `most` counts as failed, so that the next event can decide.
    pub(crate) async fn watched<T>(&mut self, attempt: impl Future<Output = T>, most: Duration) -> T {
        let mut attempt = pin!(attempt);
        if self.decides.is_some() {
            tokio::select! {
                biased;
                out = &mut attempt => return out,
                () = sleep(most) => {
                    let judgement = Judgement::Fails(format!("the attempt has not ended after {most:?}"));
                    std::mem::replace(self, Self::free()).ends(|| judgement);
                }
            }
        }
        attempt.await
    }

    /// Reports how the attempt has ended. A pass that is dropped instead says nothing about the handler.
    pub(crate) fn ends(self, judgement: impl FnOnce() -> Judgement) {
        let Some((limits, pauses)) =
            self.limits.and_then(|limits| limits.pauses.as_ref().map(|pauses| (limits, pauses)))
        else {
            return;
        };
        match judgement() {
            Judgement::Works => pauses.handled(self.decides.is_some()),
            Judgement::Fails(error) => {
                pauses.failed(self.decides.is_some(), &error, limits.now(&self.progress));
            }
            Judgement::Unknown => {}
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.progress.release(self.permit.take(), Some(&self.limits.turn));
    }
}
