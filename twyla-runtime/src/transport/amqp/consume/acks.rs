//! Which acks to send for the deliveries of one channel: as few as tell the broker the same.
//!
//! An ack with `multiple` settles every delivery up to its tag (AMQP 0-9-1, basic.ack), so one is enough for the deliveries
//! at the front that are all decided on; those behind an undecided one are acked each by itself.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// At most this long an ack waits for others, and only where one was sent as short a time ago.
const HOLD: Duration = Duration::from_millis(1);
/// At most this many acks wait.
const MOST: usize = 64;

/// The deliveries of one channel that the broker has not been told of.
#[derive(Debug)]
pub(crate) struct Settlements {
    /// The tag of the first delivery in `open`: a channel counts its deliveries from 1 on.
    first: u64,
    open: VecDeque<State>,
    /// How many are `Undecided`.
    undecided: usize,
    /// How many are `Acked`.
    waiting: usize,
    /// How many may wait.
    most: usize,
    sent: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Undecided,
    /// Decided, and not sent yet.
    Acked,
    Settled,
}

/// An ack to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AckTo {
    pub(crate) tag: u64,
    pub(crate) multiple: bool,
}

impl Settlements {
    /// For a channel whose consumer has `prefetch` deliveries at most: no more than half of them wait for their acks, so
    /// that the broker goes on delivering.
    pub(crate) fn new(prefetch: u16) -> Self {
        let most = usize::from(prefetch / 2).clamp(1, MOST);
        Self { first: 1, open: VecDeque::new(), undecided: 0, waiting: 0, most, sent: None }
    }

    pub(crate) fn delivered(&mut self, tag: u64) {
        if self.open.is_empty() {
            self.first = tag;
        }
        // What was never seen here is nothing to ack.
        while self.first + self.open.len() as u64 <= tag {
            self.open.push_back(State::Settled);
        }
        if self.set(tag, State::Undecided) != Some(State::Undecided) {
            self.undecided += 1;
        }
    }

    /// Whether there is nothing that isn't decided on.
    pub(crate) fn is_decided(&self) -> bool {
        self.undecided == 0
    }

    pub(crate) fn acked(&mut self, tag: u64) {
        if self.set(tag, State::Acked) == Some(State::Undecided) {
            self.undecided -= 1;
            self.waiting += 1;
        }
    }

    /// Rejects are sent at once, each by itself.
    pub(crate) fn rejected(&mut self, tag: u64) {
        if self.set(tag, State::Settled) == Some(State::Undecided) {
            self.undecided -= 1;
        }
    }

    fn set(&mut self, tag: u64, state: State) -> Option<State> {
        let at = usize::try_from(tag.checked_sub(self.first)?).ok()?;
        Some(std::mem::replace(self.open.get_mut(at)?, state))
    }

    /// When the acks that wait are to be sent: at once where none was sent for a while, so that nothing waits at low rates.
    pub(crate) fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        match self.sent {
            _ if self.waiting == 0 => None,
            Some(sent) if self.waiting < self.most => Some(now.max(sent + HOLD)),
            _ => Some(now),
        }
    }

    /// The acks to send now, in this order.
    pub(crate) fn take(&mut self) -> Vec<AckTo> {
        let mut acks = Vec::new();
        let mut last = None;
        while let Some(state) = self.open.front().filter(|state| **state != State::Undecided) {
            if *state == State::Acked {
                last = Some(AckTo { tag: self.first, multiple: last.is_some() });
            }
            self.open.pop_front();
            self.first += 1;
        }
        acks.extend(last);
        for (tag, state) in (self.first..).zip(&mut self.open) {
            if *state == State::Acked {
                *state = State::Settled;
                acks.push(AckTo { tag, multiple: false });
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

    fn ack(tag: u64, multiple: bool) -> AckTo {
        AckTo { tag, multiple }
    }

    #[test]
    fn one_ack_settles_what_is_decided_at_the_front() {
        let mut all = Settlements::new(100);
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
    fn waits_only_behind_another_and_never_with_half_the_prefetch() {
        let mut all = Settlements::new(4);
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
        /// Against a broker that keeps a set: never is one settled that wasn't decided on, and in the end all are.
        #[test]
        fn settles_what_was_decided_and_nothing_else(
            order in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
            rejects in prop::collection::vec(any::<bool>(), 60), flushes in prop::collection::vec(any::<bool>(), 60),
        ) {
            let count = order.len() as u64;
            let mut all = Settlements::new(50);
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
