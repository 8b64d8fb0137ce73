//! What of an in-memory bus is under way, as the rooms that a delivery walks through tell it. A test's bus waits for it and
//! writes it down (`testing::course`); without the feature `testing` nobody is told, and nothing of this is there.

use crate::ack::Decision;
#[cfg(feature = "testing")]
pub(crate) use crate::testing::course::{Course, UnderWay};

/// An attempt that begins.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "nobody is told"))]
pub(crate) struct Begins<'a> {
    pub(crate) event: &'static str,
    pub(crate) group: &'static str,
    /// The handler function's path.
    pub(crate) handler: &'static str,
    pub(crate) number: u32,
    pub(crate) message_id: Option<&'a str>,
}

/// What came of an attempt.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "nobody is told"))]
pub(crate) enum Came<'a> {
    Handled,
    /// Its group has handled the event before.
    Skipped,
    /// The handler has decided by itself.
    Decided(Decision),
    /// The event breaks its contract, and the handler was not called.
    Refused(&'a str),
    Failed(&'a str),
}

#[cfg(not(feature = "testing"))]
pub(crate) use nobody::{Course, UnderWay};

#[cfg(not(feature = "testing"))]
mod nobody {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::{OwnedSemaphorePermit, Semaphore};

    use super::{Begins, Came};
    use crate::transport::Outgoing;

    /// What a bus tells nobody.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Course {}

    #[allow(clippy::unused_self, reason = "nobody is told")]
    impl Course {
        pub(crate) fn begin(&self) -> UnderWay {
            UnderWay::default()
        }

        pub(crate) fn carries(&self, _: &Outgoing) {}
    }

    /// A delivery of which nobody is told.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct UnderWay {}

    #[allow(clippy::unused_self, reason = "nobody is told")]
    impl UnderWay {
        pub(crate) async fn pause(&self, pause: Duration) {
            tokio::time::sleep(pause).await;
        }

        pub(crate) async fn turn(&self, places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
            places.clone().acquire_owned().await.ok()
        }

        pub(crate) fn hand_on(&self, place: Option<OwnedSemaphorePermit>, _: Option<&Arc<Semaphore>>) {
            drop(place);
        }

        pub(crate) fn rest(&self) {}

        pub(crate) fn wake(&self) {}

        pub(crate) fn begins(&self, _: Begins<'_>) {}

        pub(crate) fn came(&self, _: Came<'_>) {}

        pub(crate) fn ends(self) {}
    }
}
