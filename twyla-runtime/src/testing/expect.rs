//! Expectations on a test bus, and their failure messages.

use std::fmt;
use std::time::Duration;

use super::bus::TestBus;
use super::emission::Emission;
use super::record::{Attempt, Emitted, Outcome};
use super::show::{moment, why};
use crate::DeadLetter;
use twyla_codec::event::{Event, Listen};

impl TestBus {
    /// Returns the next event of type `T` that handlers have emitted, in the order of emission; each event is returned once.
    ///
    /// # Panics
    /// If there is none (the message shows everything that happened), or if the bus isn't idle.
    #[track_caller]
    pub fn expect_emitted<T: Listen>(&self) -> Emitted<T> {
        self.assert_idle();
        let found = self.recorder.log(|log| {
            let next = log.emitted.iter_mut().find(|it| !it.given && !it.taken && it.event == T::NAME)?;
            next.taken = true;
            Some(next.clone())
        });
        let Some(emission) = found else {
            let again = self.recorder.log(|log| log.emitted.iter().any(|it| !it.given && it.event == T::NAME));
            let no = if again { "no other" } else { "no" };
            panic!("{no} {} was emitted\n\n{}", T::NAME, self.story());
        };
        read(&emission)
    }

    /// Checks that handlers have emitted no events except those that [`expect_emitted`](Self::expect_emitted) has returned.
    ///
    /// # Panics
    /// If there is another event (the message shows everything that happened), or if the bus isn't idle.
    #[track_caller]
    pub fn expect_nothing_emitted(&self) {
        self.assert_idle();
        let left = self.recorder.log(|log| log.emitted.iter().filter(|it| !it.given && !it.taken).count());
        let s = if left == 1 { "event was" } else { "events were" };
        assert!(left == 0, "{left} {s} emitted unexpectedly\n\n{}", self.story());
    }

    /// Returns all events of type `T` that handlers have emitted so far, including those that
    /// [`expect_emitted`](Self::expect_emitted) has returned.
    ///
    /// # Panics
    /// If an event can't be decoded as `T`, which may be a narrower view of the event.
    #[must_use]
    #[track_caller]
    pub fn emitted<T: Listen>(&self) -> Vec<Emitted<T>> {
        let of_type = |it: &&Emission| !it.given && it.event == T::NAME;
        let emissions: Vec<Emission> = self.recorder.log(|log| log.emitted.iter().filter(of_type).cloned().collect());
        emissions.iter().map(read).collect()
    }

    /// Returns the group's attempts at events of type `T` so far.
    #[must_use]
    pub fn attempts<T: Event>(&self, group: &str) -> Vec<Attempt> {
        let these = |it: &&Attempt| it.event == T::NAME && it.group == group;
        self.recorder.log(|log| log.attempts.iter().filter(these).cloned().collect())
    }

    /// Checks that the group has handled an event of type `T`; returns the last successful attempt.
    ///
    /// # Panics
    /// If no such event was handled (the message shows everything that happened), or if the bus isn't idle.
    #[track_caller]
    pub fn expect_handled<T: Event>(&self, group: &str) -> Attempt {
        self.assert_idle();
        let handled = self.attempts::<T>(group).into_iter().rfind(|it| it.outcome == Outcome::Handled);
        match handled {
            Some(attempt) => attempt,
            None => panic!("no {} was handled in the group `{group}`\n\n{}", T::NAME, self.story()),
        }
    }

    /// Checks the times of the group's attempts at events of type `T`, as virtual times since the first attempt.
    ///
    /// ```text
    /// test.expect_attempts::<OrderPlaced>("billing", [0, 1, 3, 8, 18].map(Duration::from_secs));
    /// ```
    ///
    /// # Panics
    /// If the times differ (the message shows the actual times), or if the bus isn't idle.
    #[track_caller]
    pub fn expect_attempts<T: Event>(&self, group: &str, after: impl AsRef<[Duration]>) {
        self.assert_idle();
        let attempts = self.attempts::<T>(group);
        let first = attempts.first().map(|it| it.at).unwrap_or_default();
        let took: Vec<Duration> = attempts.iter().map(|it| it.at - first).collect();
        let words = |times: &[Duration]| match times {
            [] => "never".to_owned(),
            times => times.iter().map(|at| moment(*at)).collect::<Vec<_>>().join(", "),
        };
        assert!(
            took == after.as_ref(),
            "attempts at {} in the group `{group}` were expected after: {}\nand took place after: {}\n\n{}",
            T::NAME,
            words(after.as_ref()),
            words(&took),
            self.story()
        );
    }

    /// Returns the next event of type `T` that the group has dead-lettered, with the reason; each event is returned once.
    ///
    /// # Panics
    /// If there is none (the message shows everything that happened), or if the bus isn't idle.
    #[track_caller]
    pub fn expect_parked<T: Event>(&self, group: &str) -> DeadLetter {
        self.assert_idle();
        let found = self.recorder.log(|log| {
            let these = |letter: &DeadLetter| letter.event == T::NAME && letter.group == group;
            let next = log.dead_letters.iter_mut().find(|it| !it.taken && these(&it.letter))?;
            next.taken = true;
            Some(next.letter.clone())
        });
        // not in a closure, which would become the panic's location
        match found {
            Some(letter) => letter,
            None => panic!("no {} was dead-lettered in the group `{group}`\n\n{}", T::NAME, self.story()),
        }
    }

    /// Checks that no events were dead-lettered except those that [`expect_parked`](Self::expect_parked) has returned.
    ///
    /// # Panics
    /// If there is another one (the message shows the event and the reason), or if the bus isn't idle.
    #[track_caller]
    pub fn expect_nothing_parked(&self) {
        self.assert_idle();
        let left: Vec<DeadLetter> = self
            .recorder
            .log(|log| log.dead_letters.iter().filter(|it| !it.taken).map(|it| it.letter.clone()).collect());
        if let [first, ..] = &left[..] {
            let more = if left.len() > 1 { format!(", and {} more", left.len() - 1) } else { String::new() };
            panic!(
                "{} was dead-lettered in the group `{}`, {}{more}\n\n{}",
                first.event,
                first.group,
                why(first),
                self.story()
            );
        }
    }

    /// Panics if the bus isn't idle, because the result of an expectation could change a moment later.
    #[track_caller]
    fn assert_idle(&self) {
        let (busy, pauses) = self.recorder.under_way();
        let waits = match (busy, pauses) {
            (0, 0) => return,
            // after `advance` a test looks at a bus with pending pauses on purpose
            (0, _) if self.now() > Duration::ZERO => return,
            (0, 1) => "1 delivery waits for its next attempt".to_owned(),
            (0, pauses) => format!("{pauses} deliveries wait for their next attempt"),
            (1, _) => "1 delivery is in progress".to_owned(),
            (busy, _) => format!("{busy} deliveries are in progress"),
        };
        panic!("the bus is not idle: {waits}; call `.settle().await` first\n\n{}", self.story());
    }
}

#[track_caller]
fn read<T: Listen>(emission: &Emission) -> Emitted<T> {
    match Emitted::read(emission) {
        Ok(emitted) => emitted,
        Err(why) => panic!("a {} was emitted that its listener would refuse: {why}\n  {}", T::NAME, emission.shown()),
    }
}

impl fmt::Display for Attempt {
    /// Formats as ``attempt 2 at api.user_input in the group `bot`, at 1 s: failed: no database``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, group, number, at, outcome, .. } = self;
        write!(f, "attempt {number} at {event} in the group `{group}`, at {}: {outcome}", moment(*at))
    }
}
