//! The course of a test: what is under way on its bus, the bus's own clock, and everything that has happened, in its order.
//!
//! Each delivery is *under way* from the moment when the bus hands it out until its handler has ended. One that waits for a
//! pause to be over, or behind another that does, *rests*. Where nothing is under way but what rests, the clock goes on to the
//! end of the next pause: so no time is waited for, and pauses end in the order in which they would.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use super::record::{Attempt, Outcome};
use crate::mark::Mark;
use crate::park::{DeadLetter, Header};
use crate::transport::{Address, Outgoing};
use crate::underway::{Begins, Came};

/// What happens on a test's bus; on any other, nobody is told.
#[derive(Clone, Default)]
pub(crate) struct Course(Option<Arc<Shared>>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Told of whenever less is under way.
    less: Notify,
}

#[derive(Default)]
struct State {
    /// The bus's clock: how long it has been there.
    now: Duration,
    /// How many deliveries are under way and don't rest.
    busy: usize,
    /// Pauses by their ends, those of one end in the order in which they were begun.
    pauses: BTreeMap<(Duration, u64), Pause>,
    next_pause: u64,
    /// Who waits for a place, by where the places are.
    waiting: HashMap<usize, VecDeque<Arc<Token>>>,
    /// What handlers are at, for the message where one doesn't end.
    running: BTreeSet<usize>,
    log: Log,
}

struct Pause {
    over: oneshot::Sender<()>,
    token: Arc<Token>,
}

/// Everything that has happened.
#[derive(Default)]
pub(super) struct Log {
    pub(super) emitted: Vec<Emission>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) parked: Vec<Parked>,
    /// The marks of what is emitted, by the messages' ids.
    marks: HashMap<Arc<str>, &'static Mark>,
    /// The ids of what the test itself has given.
    given: Vec<Arc<str>>,
}

/// An event that the bus has taken.
#[derive(Clone)]
pub(super) struct Emission {
    pub(super) event: String,
    pub(super) body: Bytes,
    pub(super) message_id: Arc<str>,
    pub(super) at: Duration,
    pub(super) mark: Option<&'static Mark>,
    /// Whether the test itself has given it.
    pub(super) given: bool,
    /// Whether an expectation has had it.
    pub(super) taken: bool,
}

/// An event that was set aside.
#[derive(Clone)]
pub(super) struct Parked {
    pub(super) letter: DeadLetter,
    pub(super) taken: bool,
}

impl Course {
    /// One that is told of.
    pub(super) fn told() -> Self {
        Self(Some(Arc::default()))
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        self.0.as_deref().map(Shared::lock)
    }

    /// A delivery that is under way from now on.
    pub(crate) fn begin(&self) -> UnderWay {
        UnderWay(self.0.clone().map(|course| {
            course.lock().busy += 1;
            Arc::new(Token { course, rests: Mutex::new(false), attempt: Mutex::new(None) })
        }))
    }

    /// The bus carries a message.
    pub(crate) fn carries(&self, message: &Outgoing) {
        let Some(mut state) = self.state() else { return };
        let at = state.now;
        match &message.to {
            Address::Event { domain, event_type } => {
                let event = format!("{domain}.{event_type}");
                let mark = state.log.marks.get(&message.message_id).copied();
                let given = state.log.given.contains(&message.message_id);
                let (body, message_id) = (message.body.clone(), message.message_id.clone());
                state.log.emitted.push(Emission { event, body, message_id, at, mark, given, taken: false });
            }
            Address::Dead(_) => {
                let headers: Vec<(String, Header)> =
                    message.headers.iter().map(|(name, value)| (name.clone().into_owned(), value.clone())).collect();
                let id = Some((*message.message_id).to_owned());
                let letter = DeadLetter::read(&headers, id, message.body.clone());
                state.log.parked.push(Parked { letter, taken: false });
            }
            Address::Retry(..) | Address::Back(_) => {}
        }
    }

    /// An event of a type is about to be emitted.
    pub(crate) fn knows(&self, message_id: &Arc<str>, mark: &'static Mark) {
        if let Some(mut state) = self.state() {
            state.log.marks.insert(message_id.clone(), mark);
        }
    }

    /// The test itself gives a message.
    pub(super) fn gives(&self, message_id: Arc<str>) {
        if let Some(mut state) = self.state() {
            state.log.given.push(message_id);
        }
    }

    /// The bus's clock.
    pub(super) fn now(&self) -> Duration {
        self.state().map(|state| state.now).unwrap_or_default()
    }

    /// What has happened.
    pub(super) fn log<T>(&self, look: impl FnOnce(&mut Log) -> T) -> T {
        match self.state() {
            Some(mut state) => look(&mut state.log),
            None => look(&mut Log::default()),
        }
    }

    /// How many deliveries are under way, and how many wait for a pause to be over.
    pub(super) fn under_way(&self) -> (usize, usize) {
        self.state().map(|state| (state.busy, state.pauses.len())).unwrap_or_default()
    }

    /// The attempts whose handlers haven't ended.
    pub(super) fn running(&self) -> Vec<Attempt> {
        let state = self.state();
        let attempts = state.iter().flat_map(|state| state.running.iter().filter_map(|at| state.log.attempts.get(*at)));
        attempts.cloned().collect()
    }

    /// Goes on until nothing is under way, through all pauses that end at `until` or before, and is there then.
    pub(super) async fn settled(&self, until: Duration) {
        let Some(shared) = &self.0 else { return };
        loop {
            // registered before it is looked, so that nothing is missed between
            let mut less = std::pin::pin!(shared.less.notified());
            less.as_mut().enable();
            match shared.lock().step(until) {
                Step::Settled => return,
                Step::Busy => {}
                // whoever it was may have given up meanwhile
                Step::Ends(pause) => drop(pause.over.send(())),
            }
            less.await;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a test goes on.
enum Step {
    /// There is nothing under way, or nothing before the time that was asked for.
    Settled,
    Busy,
    Ends(Pause),
}

impl State {
    /// Lets the clock go on where only pauses are waited for.
    fn step(&mut self, until: Duration) -> Step {
        if self.busy > 0 {
            return Step::Busy;
        }
        if let Some(pause) = self.next_pause_ends(until) {
            return Step::Ends(pause);
        }
        if until < Duration::MAX {
            self.now = self.now.max(until);
        }
        Step::Settled
    }

    /// The clock goes on to the end of the next pause, if that is soon enough, and whoever waits for it is under way again.
    /// The pause is given out, to be dropped outside of the lock: it may be the last to know its token.
    fn next_pause_ends(&mut self, until: Duration) -> Option<Pause> {
        let ((end, _), pause) = self.pauses.first_entry().filter(|it| it.key().0 <= until)?.remove_entry();
        self.now = self.now.max(end);
        self.wake(&pause.token);
        Some(pause)
    }

    fn rest(&mut self, token: &Token) {
        let mut rests = token.rests.lock().unwrap_or_else(PoisonError::into_inner);
        if !*rests {
            *rests = true;
            self.busy = self.busy.saturating_sub(1);
        }
    }

    fn wake(&mut self, token: &Token) {
        let mut rests = token.rests.lock().unwrap_or_else(PoisonError::into_inner);
        if *rests {
            *rests = false;
            self.busy += 1;
        }
    }
}

/// A delivery under way: as long as one of its clones is there. On any other bus than a test's it is nothing.
#[derive(Clone, Default)]
pub(crate) struct UnderWay(Option<Arc<Token>>);

struct Token {
    course: Arc<Shared>,
    /// Changed under the course's lock.
    rests: Mutex<bool>,
    /// Which attempt it is at.
    attempt: Mutex<Option<usize>>,
}

impl Drop for Token {
    fn drop(&mut self) {
        let mut state = self.course.lock();
        if !*self.rests.get_mut().unwrap_or_else(PoisonError::into_inner) {
            state.busy = state.busy.saturating_sub(1);
        }
        if let Some(attempt) = self.attempt.get_mut().unwrap_or_else(PoisonError::into_inner) {
            state.running.remove(attempt);
        }
        drop(state);
        self.course.less.notify_waiters();
    }
}

impl UnderWay {
    /// Waits out a pause.
    pub(crate) async fn pause(&self, pause: Duration) {
        let Some(token) = &self.0 else { return tokio::time::sleep(pause).await };
        let (over, end) = oneshot::channel();
        let key = {
            let mut state = token.course.lock();
            let key = (state.now.saturating_add(pause), state.next_pause);
            state.next_pause += 1;
            state.pauses.insert(key, Pause { over, token: token.clone() });
            state.rest(token);
            key
        };
        token.course.less.notify_waiters();
        let _given_up = GivenUp { token, key };
        // its other end is dropped only with the pause itself
        let _ = end.await;
    }

    /// Waits for one of some places; the delivery rests meanwhile.
    pub(crate) async fn turn(&self, places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let Some(token) = &self.0 else { return places.clone().acquire_owned().await.ok() };
        if let Ok(place) = places.clone().try_acquire_owned() {
            return Some(place);
        }
        {
            let mut state = token.course.lock();
            state.waiting.entry(address(places)).or_default().push_back(token.clone());
            state.rest(token);
        }
        token.course.less.notify_waiters();
        let place = places.clone().acquire_owned().await.ok();
        let mut state = token.course.lock();
        if let Some(waiting) = state.waiting.get_mut(&address(places)) {
            waiting.retain(|other| !Arc::ptr_eq(other, token));
        }
        state.wake(token);
        place
    }

    /// Gives a place to whoever waits for one, who is under way from this moment on and not only when it comes to know.
    pub(crate) fn hand_on(&self, place: Option<OwnedSemaphorePermit>, places: Option<&Arc<Semaphore>>) {
        if let (Some(token), Some(places)) = (&self.0, places) {
            let mut state = token.course.lock();
            let next = state.waiting.get_mut(&address(places)).and_then(VecDeque::pop_front);
            if let Some(next) = &next {
                state.wake(next);
            }
            // outside of the lock: it may be the last to know the token
            drop(state);
            drop(next);
        }
        drop(place);
    }

    /// It waits behind another.
    pub(crate) fn rest(&self) {
        if let Some(token) = &self.0 {
            token.course.lock().rest(token);
            token.course.less.notify_waiters();
        }
    }

    /// It is its turn.
    pub(crate) fn wake(&self) {
        if let Some(token) = &self.0 {
            token.course.lock().wake(token);
        }
    }

    /// An attempt at it begins.
    pub(crate) fn begins(&self, attempt: Begins<'_>) {
        let Some(token) = &self.0 else { return };
        let mut state = token.course.lock();
        let at = state.now;
        let index = state.log.attempts.len();
        state.log.attempts.push(Attempt {
            event: attempt.event,
            group: attempt.group,
            handler: attempt.handler,
            number: attempt.number,
            message_id: attempt.message_id.map(str::to_owned),
            at,
            outcome: Outcome::Running,
        });
        state.running.insert(index);
        *token.attempt.lock().unwrap_or_else(PoisonError::into_inner) = Some(index);
    }

    /// It is under way no more, as when it is dropped.
    pub(crate) fn ends(self) {}

    /// What came of it.
    pub(crate) fn came(&self, came: Came<'_>) {
        let Some(token) = &self.0 else { return };
        let mut state = token.course.lock();
        let Some(index) = token.attempt.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        state.running.remove(&index);
        if let Some(attempt) = state.log.attempts.get_mut(index) {
            attempt.outcome = match came {
                Came::Handled => Outcome::Handled,
                Came::Skipped => Outcome::Skipped,
                Came::Decided(decision) => Outcome::Decided(decision),
                Came::Refused(error) => Outcome::Refused(error.to_owned()),
                Came::Failed(error) => Outcome::Failed(error.to_owned()),
            };
        }
    }
}

/// Takes a pause out that nobody waits for any more.
struct GivenUp<'a> {
    token: &'a Arc<Token>,
    key: (Duration, u64),
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        let mut state = self.token.course.lock();
        // dropped outside of the lock: it may be the last to know the token
        let pause = state.pauses.remove(&self.key);
        if pause.is_some() {
            state.wake(self.token);
        }
        drop(state);
        drop(pause);
    }
}

fn address(places: &Arc<Semaphore>) -> usize {
    Arc::as_ptr(places).addr()
}

impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Course")
    }
}

impl fmt::Debug for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnderWay")
    }
}
