//! Progress reports of an in-memory bus: a test bus observes them; on any other bus they are no-ops.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::future::BoxFuture;
use crate::service::ack::Decision;
use crate::transport::Outgoing;
use twyla_codec::record::ContractRecord;

/// Observes a bus.
pub(crate) trait Observer: Send + Sync {
    /// Reports that an event with this message id is about to be emitted.
    fn emits(&self, message_id: &Arc<str>, record: &'static ContractRecord);

    /// Reports that a message is published.
    fn carries(&self, message: &Outgoing);

    /// Reports a delivery, which is in progress until the returned value is dropped.
    fn delivers(self: Arc<Self>) -> Arc<dyn DeliveryObserver>;
}

/// Observes one delivery.
pub(crate) trait DeliveryObserver: Send + Sync {
    /// Returns the time on the observer's clock.
    fn now(&self) -> Duration;

    /// Waits until the pause has passed on the observer's clock.
    fn pause(self: Arc<Self>, pause: Duration) -> BoxFuture<'static, ()>;

    /// Waits for a permit; the delivery counts as waiting meanwhile. `None` if the semaphore is closed.
    fn acquire(self: Arc<Self>, permits: Arc<Semaphore>) -> BoxFuture<'static, Option<OwnedSemaphorePermit>>;

    /// Reports that a permit is about to be released: the delivery that gets it is in progress from now on.
    fn releases(&self, permits: &Arc<Semaphore>);

    /// Reports that the delivery waits behind another one.
    fn rest(&self);

    /// Reports that the delivery no longer waits.
    fn wake(&self);

    /// Reports that an attempt begins.
    fn attempt_begins(&self, attempt: AttemptStart<'_>);

    /// Reports that the attempt has ended.
    fn attempt_ends(&self, end: AttemptEnd<'_>);
}

/// An attempt that begins.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only tests read the fields"))]
pub(crate) struct AttemptStart<'a> {
    pub(crate) event: &'static str,
    pub(crate) group: &'static str,
    /// The handler function's path.
    pub(crate) handler: &'static str,
    pub(crate) number: u32,
    pub(crate) message_id: Option<&'a str>,
}

/// The outcome of an attempt.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only tests read the fields"))]
pub(crate) enum AttemptEnd<'a> {
    Handled,
    /// The group has handled the event before.
    Skipped,
    /// The handler has decided explicitly.
    Decided(Decision),
    /// The event breaks its contract, and the handler was not called.
    Refused(&'a str),
    Failed(&'a str),
}

/// The observer of a bus, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Progress(Option<Arc<dyn Observer>>);

impl Progress {
    #[cfg(feature = "testing")]
    pub(crate) fn to(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    pub(crate) fn emits(&self, message_id: &Arc<str>, record: &'static ContractRecord) {
        if let Some(observer) = &self.0 {
            observer.emits(message_id, record);
        }
    }

    pub(crate) fn carries(&self, message: &Outgoing) {
        if let Some(observer) = &self.0 {
            observer.carries(message);
        }
    }

    /// Reports a delivery as in progress.
    pub(crate) fn begin(&self) -> DeliveryProgress {
        DeliveryProgress(self.0.clone().map(Observer::delivers))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// The observer of a delivery. The delivery is in progress as long as one of the clones exists.
#[derive(Clone, Default)]
pub(crate) struct DeliveryProgress(Option<Arc<dyn DeliveryObserver>>);

impl DeliveryProgress {
    /// Returns the time on the observer's clock, if there is an observer.
    pub(crate) fn virtual_time(&self) -> Option<Duration> {
        self.0.as_ref().map(|observer| observer.now())
    }

    /// Waits until the pause has passed.
    pub(crate) async fn pause(&self, pause: Duration) {
        match &self.0 {
            Some(observer) => observer.clone().pause(pause).await,
            None => tokio::time::sleep(pause).await,
        }
    }

    /// Waits for a permit; `None` if the semaphore is closed.
    pub(crate) async fn acquire(&self, permits: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        match &self.0 {
            Some(observer) => observer.clone().acquire(permits.clone()).await,
            None => permits.clone().acquire_owned().await.ok(),
        }
    }

    /// Releases a permit, if there is one.
    pub(crate) fn release(&self, permit: Option<OwnedSemaphorePermit>, permits: Option<&Arc<Semaphore>>) {
        if let (Some(observer), Some(permits), true) = (&self.0, permits, permit.is_some()) {
            observer.releases(permits);
        }
        drop(permit);
    }

    pub(crate) fn rest(&self) {
        if let Some(observer) = &self.0 {
            observer.rest();
        }
    }

    pub(crate) fn wake(&self) {
        if let Some(observer) = &self.0 {
            observer.wake();
        }
    }

    pub(crate) fn attempt_begins(&self, attempt: AttemptStart<'_>) {
        if let Some(observer) = &self.0 {
            observer.attempt_begins(attempt);
        }
    }

    pub(crate) fn attempt_ends(&self, end: AttemptEnd<'_>) {
        if let Some(observer) = &self.0 {
            observer.attempt_ends(end);
        }
    }
}

impl fmt::Debug for DeliveryProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeliveryProgress")
    }
}
