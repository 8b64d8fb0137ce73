//! The decision on one delivery, which is made once: ack, requeue or drop.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::future::BoxFuture;

/// What to do with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Ack the delivery (`basic.ack`).
    Ack,
    /// Return the delivery to its queue, which delivers it again (`basic.reject` with requeue).
    Requeue,
    /// Drop the delivery: it is acked, so that no dead-letter exchange of its queue gets it.
    Drop,
}

/// Sends decisions to the broker, without waiting. After the connection is lost, a decision has no effect: the broker delivers the
/// message again.
pub(crate) trait Settle: Send + Sync {
    fn settle(&self, tag: u64, decision: Decision);

    /// Acks several deliveries at once, with as few frames as possible.
    fn ack_all(&self, tags: &[u64]) {
        tags.iter().for_each(|tag| self.settle(*tag, Decision::Ack));
    }

    /// Returns whether the broker has taken the deliveries back, so that decisions no longer have an effect.
    fn is_void(&self) -> bool {
        false
    }

    /// Resolves when the broker has taken the deliveries back.
    fn voided(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// A handler argument with which the handler itself decides on the delivery.
///
/// The first decision counts and is sent at once; later ones have no effect. If a handler that takes an `Ack` decides nothing,
/// its result decides, as without `Ack`: `Ok` acks, an error or a panic is retried and then dead-lettered. A handler that has
/// decided is not called again for this delivery, whatever it returns.
#[derive(Clone)]
pub struct Ack {
    inner: Arc<AckState>,
}

struct AckState {
    decided: Mutex<Option<Decision>>,
    tag: u64,
    sink: Option<Arc<dyn Settle>>,
}

impl Ack {
    /// Creates an ack that belongs to no delivery, for unit tests of handler functions: see [`decision`](Self::decision).
    #[must_use]
    pub fn detached() -> Self {
        Self { inner: Arc::new(AckState { decided: Mutex::new(None), tag: 0, sink: None }) }
    }

    /// Returns whether the broker has taken the delivery back: decisions have no effect, and the broker delivers the message again.
    pub(crate) fn is_void(&self) -> bool {
        self.inner.sink.as_ref().is_some_and(|sink| sink.is_void())
    }

    /// Resolves when the broker has taken the delivery back.
    pub(crate) async fn voided(&self) {
        match &self.inner.sink {
            Some(sink) => sink.voided().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn new(tag: u64, sink: Arc<dyn Settle>) -> Self {
        Self { inner: Arc::new(AckState { decided: Mutex::new(None), tag, sink: Some(sink) }) }
    }

    /// Acks the events of a batch together. An event that is decided already stays as it is.
    pub(crate) fn ack_all<'a>(acks: impl IntoIterator<Item = &'a Self>) {
        // deliveries of one batch may have come over several channels, because a lost one is replaced
        let mut by_sink: Vec<(&Arc<dyn Settle>, Vec<u64>)> = Vec::new();
        for AckState { decided, tag, sink } in acks.into_iter().map(|ack| &*ack.inner) {
            let mut decided = decided.lock().unwrap_or_else(PoisonError::into_inner);
            if decided.is_some() {
                continue;
            }
            *decided = Some(Decision::Ack);
            drop(decided);
            let Some(sink) = sink else { continue };
            match by_sink.iter_mut().find(|(other, _)| std::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(sink))) {
                Some((_, tags)) => tags.push(*tag),
                None => by_sink.push((sink, vec![*tag])),
            }
        }
        for (sink, tags) in by_sink {
            sink.ack_all(&tags);
        }
    }

    /// Acks the event: the broker removes it. Returns whether this was the first decision; only the first counts.
    pub fn ack(&self) -> bool {
        self.inner.decide(Decision::Ack)
    }

    /// Returns the event to its queue, which delivers it again to any member of the group. Returns whether this was the first
    /// decision; only the first counts.
    ///
    /// The queue delivers the event again at once. A quorum queue counts redeliveries, up to
    /// [`Service::redeliveries`](crate::Service::redeliveries); a classic queue has no limit, so a handler that always rejects runs
    /// in a loop.
    pub fn reject(&self) -> bool {
        self.inner.decide(Decision::Requeue)
    }

    /// Drops the event, without a dead letter. Returns whether this was the first decision; only the first counts.
    pub fn drop(&self) -> bool {
        self.inner.decide(Decision::Drop)
    }

    /// Returns the decision, if one was made.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        *self.inner.decided.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AckState {
    fn decide(&self, decision: Decision) -> bool {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if decided.is_some() {
            return false;
        }
        *decided = Some(decision);
        if let Some(sink) = &self.sink {
            sink.settle(self.tag, decision);
        }
        true
    }
}

/// A delivery that is dropped without a decision goes back to its queue.
impl Drop for AckState {
    fn drop(&mut self) {
        self.decide(Decision::Requeue);
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").field("decision", &self.decision()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Log(Mutex<Vec<(u64, Decision)>>);

    impl Settle for Log {
        fn settle(&self, tag: u64, decision: Decision) {
            self.0.lock().unwrap().push((tag, decision));
        }
    }

    #[test]
    fn the_first_decision_counts() {
        let log = Arc::new(Log::default());
        let ack = Ack::new(7, log.clone());
        let other = ack.clone();
        assert!(other.drop());
        assert!(!ack.ack() && !ack.reject());
        std::mem::drop((ack, other));
        assert_eq!(*log.0.lock().unwrap(), [(7, Decision::Drop)]);
    }

    #[test]
    fn a_delivery_without_a_decision_is_given_back() {
        let log = Arc::new(Log::default());
        std::mem::drop(Ack::new(3, log.clone()));
        assert_eq!(*log.0.lock().unwrap(), [(3, Decision::Requeue)]);
    }

    #[test]
    fn a_batch_is_acked_at_once_on_each_channel_without_what_is_decided() {
        #[derive(Default)]
        struct Together(Mutex<Vec<Vec<u64>>>);

        impl Settle for Together {
            fn settle(&self, tag: u64, _: Decision) {
                self.0.lock().unwrap().push(vec![tag]);
            }

            fn ack_all(&self, tags: &[u64]) {
                self.0.lock().unwrap().push(tags.to_vec());
            }
        }
        let channels = [(); 2].map(|()| Arc::new(Together::default()));
        let acks: Vec<_> = (1..=6).map(|tag| Ack::new(tag, channels[usize::from(tag > 4)].clone())).collect();
        assert!(acks[1].reject());
        Ack::ack_all(&acks);
        assert!(acks.iter().all(|ack| !ack.reject()));
        std::mem::drop(acks);
        let sent = channels.map(|channel| channel.0.lock().unwrap().clone());
        assert_eq!(sent, [vec![vec![2], vec![1, 3, 4]], vec![vec![5, 6]]]);
    }

    #[test]
    fn a_detached_ack_remembers() {
        let ack = Ack::detached();
        assert_eq!(ack.decision(), None);
        assert!(ack.reject());
        assert_eq!(ack.decision(), Some(Decision::Requeue));
    }
}
