//! Combines the acks of one channel into as few frames as possible.
//!
//! An ack with `multiple` settles every delivery up to its tag (AMQP 0-9-1, basic.ack), so a single ack settles all decided
//! deliveries before the first undecided one. Decided deliveries after it are acked individually.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The maximum time that an ack waits for further acks. It waits only if another ack was sent within this time.
const HOLD: Duration = Duration::from_millis(1);
/// The maximum number of acks that wait.
const MOST: usize = 64;

/// The deliveries of one channel that are not settled yet.
#[derive(Debug)]
pub(crate) struct PendingAcks {
    /// The tag of the first delivery in `open`; tags start at 1.
    first: u64,
    open: VecDeque<AckState>,
    /// The number of `Undecided` deliveries in `open`.
    undecided: usize,
    /// The number of `Acked` deliveries in `open`.
    waiting: usize,
    /// The maximum number of acks that wait.
    most: usize,
    sent: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AckState {
    Undecided,
    /// Decided, but not sent yet.
    Acked,
    Settled,
}

/// An ack to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AckFrame {
    pub(crate) tag: u64,
    pub(crate) multiple: bool,
}

impl PendingAcks {
    /// Creates the state of a channel. At most half of `prefetch` acks wait, so that the broker keeps delivering.
    pub(crate) fn new(prefetch: u16) -> Self {
        let most = usize::from(prefetch / 2).clamp(1, MOST);
        Self { first: 1, open: VecDeque::new(), undecided: 0, waiting: 0, most, sent: None }
    }

    pub(crate) fn delivered(&mut self, tag: u64) {
        if self.open.is_empty() {
            self.first = tag;
        }
        // tags that were never delivered need no ack
        while self.first + self.open.len() as u64 <= tag {
            self.open.push_back(AckState::Settled);
        }
        if self.set(tag, AckState::Undecided) != Some(AckState::Undecided) {
            self.undecided += 1;
        }
    }

    /// Returns whether all deliveries are decided.
    pub(crate) fn is_decided(&self) -> bool {
        self.undecided == 0
    }

    pub(crate) fn acked(&mut self, tag: u64) {
        if self.set(tag, AckState::Acked) == Some(AckState::Undecided) {
            self.undecided -= 1;
            self.waiting += 1;
        }
    }

    /// Records a reject, which the caller sends immediately.
    pub(crate) fn rejected(&mut self, tag: u64) {
        if self.set(tag, AckState::Settled) == Some(AckState::Undecided) {
            self.undecided -= 1;
        }
    }

    fn set(&mut self, tag: u64, state: AckState) -> Option<AckState> {
        let at = usize::try_from(tag.checked_sub(self.first)?).ok()?;
        Some(std::mem::replace(self.open.get_mut(at)?, state))
    }

    /// Returns when the waiting acks are due; `None` if no ack waits. They are due immediately if no ack was sent recently, so
    /// that acks don't wait at low rates.
    pub(crate) fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        match self.sent {
            _ if self.waiting == 0 => None,
            Some(sent) if self.waiting < self.most => Some(now.max(sent + HOLD)),
            _ => Some(now),
        }
    }

    /// Takes the acks to send now, in order.
    pub(crate) fn take(&mut self) -> Vec<AckFrame> {
        let mut acks = Vec::new();
        let mut last = None;
        while let Some(state) = self.open.front().filter(|state| **state != AckState::Undecided) {
            if *state == AckState::Acked {
                last = Some(AckFrame { tag: self.first, multiple: last.is_some() });
            }
            self.open.pop_front();
            self.first += 1;
        }
        acks.extend(last);
        for (tag, state) in (self.first..).zip(&mut self.open) {
            if *state == AckState::Acked {
                *state = AckState::Settled;
                acks.push(AckFrame { tag, multiple: false });
            }
        }
        self.waiting = 0;
        self.sent = Some(Instant::now());
        acks
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ack(tag: u64, multiple: bool) -> AckFrame {
        AckFrame { tag, multiple }
    }

    #[test]
    fn one_ack_settles_all_decided_deliveries_at_the_front() {
        let mut all = PendingAcks::new(100);
        (1..=6).for_each(|tag| all.delivered(tag));
        for tag in [2, 1, 3, 5] {
            all.acked(tag);
        }
        assert_eq!(all.take(), [ack(3, true), ack(5, false)]);
        assert_eq!(all.take(), []);
        all.acked(4);
        assert_eq!(all.take(), [ack(4, false)]);
        all.acked(6);
        assert_eq!(all.take(), [ack(6, false)]);
    }

    #[test]
    fn the_acks_of_a_batch_are_one_frame() {
        let mut all = PendingAcks::new(1000);
        (1..=600).for_each(|tag| all.delivered(tag));
        (1..=500).for_each(|tag| all.acked(tag));
        assert_eq!(all.take(), [ack(500, true)]);
        assert!(!all.is_decided());
    }

    #[test]
    fn an_ack_waits_only_after_another_and_below_half_the_prefetch() {
        let mut all = PendingAcks::new(4);
        (1..=4).for_each(|tag| all.delivered(tag));
        assert_eq!(all.due(), None);
        all.acked(1);
        assert!(all.due().unwrap() <= Instant::now());
        all.take();
        all.acked(2);
        let sent = all.sent.unwrap();
        assert!(all.due().unwrap() >= sent + HOLD);
        all.acked(3);
        assert!(all.due().unwrap() <= Instant::now());
    }

    proptest! {
        /// Compares with sets of tags: only decided deliveries are settled, and in the end all deliveries.
        #[test]
        fn settles_exactly_the_decided_deliveries(
            order in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
            rejects in prop::collection::vec(any::<bool>(), 60), flushes in prop::collection::vec(any::<bool>(), 60),
        ) {
            let count = order.len() as u64;
            let mut all = PendingAcks::new(50);
            let (mut broker, mut decided) = (BTreeSet::new(), BTreeSet::new());
            let mut left: Vec<u64> = (1..=count).collect();
            for tag in 1..=count {
                all.delivered(tag);
                broker.insert(tag);
            }
            for (i, index) in order.iter().enumerate() {
                let tag = left.remove(index.index(left.len()));
                decided.insert(tag);
                if rejects[i] {
                    all.rejected(tag);
                    prop_assert!(broker.remove(&tag));
                } else {
                    all.acked(tag);
                }
                if flushes[i] || left.is_empty() {
                    for ack in all.take() {
                        prop_assert!(broker.contains(&ack.tag), "acked twice: {}", ack.tag);
                        let gone: Vec<u64> =
                            broker.iter().copied().filter(|t| *t == ack.tag || ack.multiple && *t < ack.tag).collect();
                        for tag in gone {
                            prop_assert!(decided.contains(&tag), "undecided: {tag}");
                            broker.remove(&tag);
                        }
                    }
                }
            }
            prop_assert!(broker.is_empty());
        }
    }
}
