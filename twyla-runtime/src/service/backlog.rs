//! Counts the deliveries of a listener that wait for its dead queue, for its health.

use tokio::sync::watch;

/// The count of the deliveries that a listener holds, each until its [`Holding`] is dropped.
#[derive(Debug)]
pub(crate) struct HeldDeliveries(watch::Sender<Backlog>);

/// The number of deliveries that wait to be dead-lettered, and the reason.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    count: usize,
    /// The prefetch: once this number of deliveries is held, the broker delivers nothing more.
    most: u16,
    /// Why the dead queue refused the last delivery.
    why: String,
}

impl Backlog {
    /// Returns why the listener of `queue` isn't ready; `None` if no delivery waits.
    pub(crate) fn reason(&self, queue: &str) -> Option<String> {
        let Self { count, most, why } = self;
        (*count > 0).then(|| {
            format!(
                "{count} of at most {most} deliveries of `{queue}` wait, because its dead queue doesn't accept them: {why}"
            )
        })
    }
}

impl HeldDeliveries {
    pub(crate) fn new(most: u16) -> Self {
        Self(watch::Sender::new(Backlog { count: 0, most, why: String::new() }))
    }

    /// Returns the watched state, for the service's health.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Backlog> {
        self.0.subscribe()
    }

    /// Counts a delivery as held until the returned value is dropped; `why` is the dead queue's reason.
    pub(crate) fn hold(&self, why: &str) -> Holding<'_> {
        self.0.send_modify(|backlog| {
            backlog.count += 1;
            why.clone_into(&mut backlog.why);
        });
        Holding(self)
    }
}

/// A guard that counts a delivery as held until the guard is dropped.
pub(crate) struct Holding<'a>(&'a HeldDeliveries);

impl Holding<'_> {
    /// Records the reason of another refusal by the dead queue.
    pub(crate) fn fails_again(&self, why: &str) {
        let Self(state) = self;
        state.0.send_modify(|backlog| why.clone_into(&mut backlog.why));
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let Self(state) = self;
        state.0.send_modify(|backlog| backlog.count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_deliveries_that_are_held_now() {
        let state = HeldDeliveries::new(64);
        let seen = state.subscribe();
        let reason = || seen.borrow().reason("a.b.c");
        assert_eq!(reason(), None);
        let (one, two) = (state.hold("it is full"), state.hold("it is full"));
        drop(one);
        let due = "1 of at most 64 deliveries of `a.b.c` wait, because its dead queue doesn't accept them: it is gone";
        two.fails_again("it is gone");
        assert_eq!(reason().as_deref(), Some(due));
        drop(two);
        assert_eq!(reason(), None);
    }
}
