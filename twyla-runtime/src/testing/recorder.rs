//! The course of a test: what is under way on its bus, the bus's own clock, and everything that has happened, in its order.
//!
//! Each delivery is *under way* from the moment when the bus hands it out until its handler has ended. One that waits for a
//! pause to be over, or behind another that does, *rests*. Where nothing is under way but what rests, the clock goes on to the
//! end of the next pause: so no time is waited for, and pauses end in the order in which they would.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use super::emission::Emission;
use super::record::{Attempt, Outcome};
use crate::contract::record::Mark;
use crate::dead_letter::letter::{DeadLetter, Header};
use crate::future::BoxFuture;
use crate::progress::{AttemptEnd, AttemptStart, DeliveryObserver, Observer, Progress};
use crate::transport::{Address, Outgoing};

/// What happens on a test's bus.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Shared>);

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

/// An event that was set aside.
#[derive(Clone)]
pub(super) struct Parked {
    pub(super) letter: DeadLetter,
    pub(super) taken: bool,
}

impl Recorder {
    /// Where the bus is to report to.
    pub(super) fn progress(&self) -> Progress {
        Progress::to(self.0.clone())
    }

    /// The test itself emits an event of this contract.
    pub(super) fn knows(&self, message_id: &Arc<str>, mark: &'static Mark) {
        self.0.emits(message_id, mark);
    }

    /// The test itself gives a message.
    pub(super) fn gives(&self, message_id: Arc<str>) {
        self.0.lock().log.given.push(message_id);
    }

    /// The bus's clock.
    pub(super) fn now(&self) -> Duration {
        self.0.lock().now
    }

    /// What has happened.
    pub(super) fn log<T>(&self, look: impl FnOnce(&mut Log) -> T) -> T {
        look(&mut self.0.lock().log)
    }

    /// How many deliveries are under way, and how many wait for a pause to be over.
    pub(super) fn under_way(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.busy, state.pauses.len())
    }

    /// The attempts whose handlers haven't ended.
    pub(super) fn running(&self) -> Vec<Attempt> {
        let state = self.0.lock();
        state.running.iter().filter_map(|at| state.log.attempts.get(*at)).cloned().collect()
    }

    /// Goes on until nothing is under way, through all pauses that end at `until` or before, and is there then.
    pub(super) async fn settled(&self, until: Duration) {
        let shared = &*self.0;
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

impl Observer for Shared {
    fn emits(&self, message_id: &Arc<str>, mark: &'static Mark) {
        self.lock().log.marks.insert(message_id.clone(), mark);
    }

    fn carries(&self, message: &Outgoing) {
        let mut state = self.lock();
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

    fn delivers(self: Arc<Self>) -> Arc<dyn DeliveryObserver> {
        self.lock().busy += 1;
        Arc::new(Token { shared: self, rests: Mutex::new(false), attempt: Mutex::new(None) })
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

/// A delivery under way, until this is dropped.
struct Token {
    shared: Arc<Shared>,
    /// Changed under the shared lock.
    rests: Mutex<bool>,
    /// Which attempt it is at.
    attempt: Mutex<Option<usize>>,
}

impl Drop for Token {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if !*self.rests.get_mut().unwrap_or_else(PoisonError::into_inner) {
            state.busy = state.busy.saturating_sub(1);
        }
        if let Some(attempt) = self.attempt.get_mut().unwrap_or_else(PoisonError::into_inner) {
            state.running.remove(attempt);
        }
        drop(state);
        self.shared.less.notify_waiters();
    }
}

impl DeliveryObserver for Token {
    fn pause(self: Arc<Self>, pause: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let (over, end) = oneshot::channel();
            let key = {
                let mut state = self.shared.lock();
                let key = (state.now.saturating_add(pause), state.next_pause);
                state.next_pause += 1;
                state.pauses.insert(key, Pause { over, token: self.clone() });
                state.rest(&self);
                key
            };
            self.shared.less.notify_waiters();
            let _given_up = GivenUp { token: &self, key };
            // its other end is dropped only with the pause itself
            let _ = end.await;
        })
    }

    fn acquire(self: Arc<Self>, permits: Arc<Semaphore>) -> BoxFuture<'static, Option<OwnedSemaphorePermit>> {
        Box::pin(async move {
            if let Ok(permit) = permits.clone().try_acquire_owned() {
                return Some(permit);
            }
            {
                let mut state = self.shared.lock();
                state.waiting.entry(address(&permits)).or_default().push_back(self.clone());
                state.rest(&self);
            }
            self.shared.less.notify_waiters();
            let permit = permits.clone().acquire_owned().await.ok();
            let mut state = self.shared.lock();
            if let Some(waiting) = state.waiting.get_mut(&address(&permits)) {
                waiting.retain(|other| !Arc::ptr_eq(other, &self));
            }
            state.wake(&self);
            drop(state);
            permit
        })
    }

    fn releases(&self, permits: &Arc<Semaphore>) {
        let mut state = self.shared.lock();
        let next = state.waiting.get_mut(&address(permits)).and_then(VecDeque::pop_front);
        if let Some(next) = &next {
            state.wake(next);
        }
        // outside of the lock: it may be the last to know the token
        drop(state);
        drop(next);
    }

    fn rest(&self) {
        self.shared.lock().rest(self);
        self.shared.less.notify_waiters();
    }

    fn wake(&self) {
        self.shared.lock().wake(self);
    }

    fn attempt_begins(&self, attempt: AttemptStart<'_>) {
        let mut state = self.shared.lock();
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
        *self.attempt.lock().unwrap_or_else(PoisonError::into_inner) = Some(index);
    }

    fn attempt_ends(&self, end: AttemptEnd<'_>) {
        let mut state = self.shared.lock();
        let Some(index) = self.attempt.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        state.running.remove(&index);
        if let Some(attempt) = state.log.attempts.get_mut(index) {
            attempt.outcome = match end {
                AttemptEnd::Handled => Outcome::Handled,
                AttemptEnd::Skipped => Outcome::Skipped,
                AttemptEnd::Decided(decision) => Outcome::Decided(decision),
                AttemptEnd::Refused(error) => Outcome::Refused(error.to_owned()),
                AttemptEnd::Failed(error) => Outcome::Failed(error.to_owned()),
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
        let mut state = self.token.shared.lock();
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
