//! The growing pauses of deliveries that wait for a failing store.

use std::time::Duration;

use super::active_listener::ActiveListener;
use super::dedupe::Trouble;
use super::phase;
use super::store_state::WaitsForStore;
use crate::progress::DeliveryProgress;
use crate::transport::Delivery;

/// The growing pauses of a delivery, or of a batch, that waits for a failing store.
pub(crate) struct StoreBackoff {
    pause: Duration,
    /// The guard that counts it as waiting, while the store fails.
    waits: Option<WaitsForStore>,
}

impl Default for StoreBackoff {
    fn default() -> Self {
        Self { pause: Duration::from_millis(100), waits: None }
    }
}

impl StoreBackoff {
    /// The longest pause: how late a delivery may notice that the store works again.
    const MOST: Duration = Duration::from_secs(5);

    /// Waits before the store is asked again, twice as long each time. `None` if the service stops, or the broker has taken the
    /// delivery back.
    pub(crate) async fn wait(
        &mut self,
        listening: &ActiveListener,
        delivery: &Delivery,
        trouble: Trouble,
    ) -> Option<()> {
        if !self.pause(listening, &delivery.progress, trouble).await {
            delivery.ack.reject();
            return None;
        }
        (!delivery.ack.is_void()).then_some(())
    }

    /// Waits before the store is asked again, twice as long each time. Returns `false` if the service stops.
    pub(crate) async fn pause(
        &mut self,
        listening: &ActiveListener,
        progress: &DeliveryProgress,
        trouble: Trouble,
    ) -> bool {
        listening.store.fails(&trouble, &listening.metrics, &mut self.waits);
        let mut stopping = listening.stopping.clone();
        tokio::select! {
            () = progress.pause(self.pause) => {}
            () = phase::stopping(&mut stopping) => return false,
        }
        self.pause = (self.pause * 2).min(Self::MOST);
        true
    }

    /// Records that an attempt ended without a failure of the store.
    pub(crate) fn works(&mut self, listening: &ActiveListener) {
        listening.store.works(self.waits.take());
    }
}
