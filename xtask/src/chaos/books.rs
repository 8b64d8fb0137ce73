//! Collects the reports of producers and consumers, and waits for them.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::children::Line;
use super::error::Error;
use super::ledger::Ledger;
use super::stage::Stage;

/// Missing events count as lost if nothing was handled for this long.
const PATIENCE: Duration = Duration::from_secs(90);
pub(super) const PRODUCERS: u32 = 3;
/// The groups. The second and the third write to PostgreSQL, in the transaction that records their events as handled; the third
/// handles them in batches.
pub(super) const GROUPS: [&str; 3] = ["one", "two", "three"];

/// The reports of the children, collected while a run waits.
pub(super) struct Books {
    pub(super) ledger: Ledger,
    lines: Receiver<Line>,
    ready: Vec<u32>,
    done: usize,
}

impl Books {
    pub(super) fn new(lines: Receiver<Line>) -> Self {
        Self { ledger: Ledger::default(), lines, ready: Vec::new(), done: 0 }
    }

    fn take(&mut self, line: &Line) {
        match line.text.as_str() {
            "ready" => self.ready.push(line.child),
            "done" => self.done += 1,
            text => self.ledger.take(&line.group, text),
        }
    }

    /// Collects reports for `time`.
    pub(super) fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => self.take(&line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Waits until `count` consumers of each group are ready. If a group has one active member, its other members aren't
    /// ready yet.
    pub(super) fn until_ready(&mut self, stage: &Stage, count: usize) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        for group in GROUPS {
            let members: Vec<_> =
                stage.consumers.iter().filter(|(of, _)| *of == group).map(|(_, it)| it.id()).collect();
            while members.iter().filter(|id| self.ready.contains(id)).count() < count {
                if Instant::now() > until {
                    return Err(Error::NotReady(format!("group {group}")));
                }
                self.listen(Duration::from_millis(100));
            }
        }
        Ok(())
    }

    /// Waits until all groups have handled events in each of three seconds, or nothing is left to handle.
    pub(super) fn flows(&mut self) {
        let until = Instant::now() + PATIENCE;
        let mut steady = 0;
        while steady < 3 && Instant::now() < until && self.done < PRODUCERS as usize {
            let before = GROUPS.map(|group| self.ledger.deliveries(group));
            self.listen(Duration::from_secs(1));
            let all = GROUPS.iter().zip(before).all(|(group, before)| self.ledger.deliveries(group) > before);
            steady = if all { steady + 1 } else { 0 };
        }
    }

    /// Waits until this number of producers is done, or until nothing was confirmed for [`PATIENCE`].
    pub(super) fn until_done(&mut self, producers: usize) {
        let mut last = (Instant::now(), 0);
        while self.done < producers && last.0.elapsed() < PATIENCE {
            self.listen(Duration::from_millis(200));
            let now = self.ledger.confirmed();
            if now > last.1 {
                last = (Instant::now(), now);
            }
        }
    }

    /// Waits until each group has dead-lettered every event that breaks its contract, at most [`PATIENCE`]. Returns the number of
    /// those and of other dead letters, for each group.
    pub(super) fn until_dead(&mut self, stage: &Stage) -> io::Result<Vec<(usize, usize)>> {
        let until = Instant::now() + PATIENCE;
        loop {
            let dead = stage.nursery.dead()?;
            let all = dead.len() == GROUPS.len() && dead.iter().all(|(broken, _)| *broken >= stage.broken as usize);
            if stage.broken == 0 || all || Instant::now() > until {
                return Ok(dead);
            }
            self.listen(Duration::from_secs(1));
        }
    }

    /// Waits until everything is handled, or until nothing was handled for [`PATIENCE`].
    pub(super) fn until_handled(&mut self) {
        let mut last = (Instant::now(), 0);
        while last.0.elapsed() < PATIENCE && GROUPS.iter().any(|group| self.ledger.totals(group).lost > 0) {
            self.listen(Duration::from_millis(500));
            let now = GROUPS.iter().map(|group| self.ledger.deliveries(group)).sum();
            if now > last.1 {
                last = (Instant::now(), now);
            }
        }
        // collect redeliveries, which come soon after
        self.listen(Duration::from_secs(2));
    }
}
