//! Records which events were confirmed and handled, and counts those that were lost, redelivered or out of order.

use std::collections::{HashMap, HashSet};

/// The events of one run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    confirmed: HashMap<String, Vec<bool>>,
    failed: Vec<String>,
    /// The events that were emitted again under another id, though they may have been sent before, by key and number.
    emitted_again: HashSet<(String, usize)>,
    groups: HashMap<String, Group>,
}

/// The events that one group has handled.
#[derive(Debug, Default)]
struct Group {
    /// The first time and the count of each handled event, by key and number.
    handled: HashMap<String, Vec<(u128, u32)>>,
    /// The times of all deliveries, in order.
    times: Vec<u128>,
}

/// The totals of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) handled: usize,
    pub(super) lost: usize,
    pub(super) again: usize,
    pub(super) disordered: usize,
}

fn at<T: Clone + Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize(index + 1, T::default());
    }
    &mut list[index]
}

impl Ledger {
    /// Records a line of a child; `group` is the consumer's group.
    pub(super) fn take(&mut self, group: &str, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["confirmed", key, seq, _] => {
                let Ok(seq) = seq.parse() else { return };
                *at(self.confirmed.entry(key.to_owned()).or_default(), seq) = true;
            }
            ["handled", key, seq, time, _] => {
                let (Ok(seq), Ok(time)) = (seq.parse(), time.parse()) else { return };
                let group = self.groups.entry(group.to_owned()).or_default();
                let (first, times) = at(group.handled.entry(key.to_owned()).or_default(), seq);
                *first = if *times == 0 { time } else { time.min(*first) };
                *times += 1;
                group.times.push(time);
            }
            ["again", key, seq] => {
                let Ok(seq) = seq.parse() else { return };
                self.emitted_again.insert((key.to_owned(), seq));
            }
            ["failed", ..] => self.failed.push(line.to_owned()),
            _ => {}
        }
    }

    pub(super) fn confirmed(&self) -> usize {
        self.confirmed.values().flatten().filter(|confirmed| **confirmed).count()
    }

    /// Returns the events that were emitted again, though they may have been sent before.
    pub(super) fn emitted_again(&self) -> &HashSet<(String, usize)> {
        &self.emitted_again
    }

    /// Returns the reports of events that were not confirmed.
    pub(super) fn failed(&self) -> &[String] {
        &self.failed
    }

    /// Returns the number of deliveries that the group has handled, redeliveries included.
    pub(super) fn deliveries(&self, group: &str) -> usize {
        self.groups.get(group).map_or(0, |group| group.times.len())
    }

    pub(super) fn totals(&self, group: &str) -> Totals {
        let nothing = Group::default();
        let group = self.groups.get(group).unwrap_or(&nothing);
        let empty = Vec::new();
        let lost = self.confirmed.iter().map(|(key, confirmed)| {
            let handled = group.handled.get(key).unwrap_or(&empty);
            let was = |seq: usize| handled.get(seq).is_some_and(|(_, times)| *times > 0);
            confirmed.iter().enumerate().filter(|(seq, confirmed)| **confirmed && !was(*seq)).count()
        });
        let all = || group.handled.values().flatten().filter(|(_, times)| *times > 0);
        // compare the times at which events were first handled: redeliveries come later
        let disordered = group.handled.values().map(|key| {
            let firsts: Vec<_> = key.iter().filter(|(_, times)| *times > 0).map(|(first, _)| *first).collect();
            firsts.windows(2).filter(|pair| pair[0] > pair[1]).count()
        });
        Totals {
            handled: all().count(),
            lost: lost.sum(),
            again: all().map(|(_, times)| *times as usize - 1).sum(),
            disordered: disordered.sum(),
        }
    }

    /// Returns the longest time between `from` and `to` in which the group handled nothing, in microseconds.
    pub(super) fn stall(&self, group: &str, from: u128, to: u128) -> u128 {
        let mut times: Vec<_> = self.groups.get(group).map(|group| group.times.clone()).unwrap_or_default();
        times.retain(|time| (from..=to).contains(time));
        times.extend([from, to]);
        times.sort_unstable();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(lines: &[&str]) -> Ledger {
        let mut ledger = Ledger::default();
        lines.iter().for_each(|line| ledger.take("one", line));
        ledger
    }

    #[test]
    fn reports_lost_repeated_and_disordered_events() {
        let ledger = ledger(&[
            "confirmed a 0 1",
            "confirmed a 1 2",
            "confirmed a 2 3",
            "confirmed b 0 3",
            "confirmed b 1 4",
            "handled a 0 10 0",
            "handled a 2 11 0",
            "handled a 1 12 0",
            "handled a 0 13 1",
            "handled b 0 50 0",
            "ready",
            "failed a 3 the bus is closed",
            "again b 1",
        ]);
        assert_eq!(ledger.confirmed(), 5);
        assert_eq!(ledger.totals("one"), Totals { handled: 4, lost: 1, again: 1, disordered: 1 });
        assert_eq!(ledger.totals("two"), Totals { handled: 0, lost: 5, again: 0, disordered: 0 });
        assert_eq!((ledger.stall("one", 0, 60), ledger.failed().len()), (37, 1));
        assert_eq!(*ledger.emitted_again(), HashSet::from([("b".to_owned(), 1)]));
    }
}
