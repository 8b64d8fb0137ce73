//! The limits of a running listener, which its events pass one after another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::rate_limit::RateLimit;
use crate::progress::DeliveryProgress;

/// The limits of a listener.
pub(crate) struct Limits {
    /// Held by the event, or the batch, that passes next.
    turn: Arc<Semaphore>,
    /// When the listener began, on its clock.
    begun: Instant,
    pub(crate) rate: Option<RateLimit>,
}

impl Limits {
    pub(crate) fn new(rate: Option<RateLimit>) -> Option<Self> {
        rate.as_ref()?;
        Some(Self { turn: Arc::new(Semaphore::new(1)), begun: Instant::now(), rate })
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

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.progress.release(self.permit.take(), Some(&self.limits.turn));
    }
}
