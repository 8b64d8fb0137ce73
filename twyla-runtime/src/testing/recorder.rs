//! The recorder of a test bus: pending deliveries, the virtual clock, and a log of everything that happened.
//!
//! A delivery is *pending* from the time at which the broker delivers it until its handler has ended. It *rests* while it
//! waits for the end of a pause, or for another delivery. If all pending deliveries rest, the clock advances to the end of
//! the next pause: pauses take no real time and end in their usual order.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use super::emission::Emission;
use super::record::{Attempt, Outcome};
use crate::dead_letter::headers::Header;
use crate::dead_letter::letter::DeadLetter;
use crate::future::BoxFuture;
use crate::progress::{AttemptEnd, AttemptStart, DeliveryObserver, Observer, Progress};
use crate::transport::{Outgoing, PublishTarget};
use twyla_codec::record::ContractRecord;

/// Records what happens on a test bus.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Notified whenever fewer deliveries are busy.
    fewer_busy: Notify,
}

#[derive(Default)]
struct State {
    /// The virtual time since the bus was created.
    now: Duration,
    /// The number of pending deliveries that don't rest.
    busy: usize,
    /// The pauses, by the time at which they end; pauses that end at the same time are in the order in which they began.
    pauses: BTreeMap<(Duration, u64), Pause>,
    next_pause: u64,
    /// The deliveries that wait for a permit, by the address of the semaphore.
    waiting: HashMap<usize, VecDeque<Arc<Token>>>,
    /// The indices of the attempts that run, for the message about a handler that doesn't end.
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
    pub(super) dead_letters: Vec<RecordedLetter>,
    /// The contract records of emitted events, by message id.
    records: HashMap<Arc<str>, &'static ContractRecord>,
    /// The ids of the messages that the test itself sent.
    given: Vec<Arc<str>>,
}

/// A dead-lettered event.
#[derive(Clone)]
pub(super) struct RecordedLetter {
    pub(super) letter: DeadLetter,
    pub(super) taken: bool,
}

impl Recorder {
    /// Returns the observer for the bus.
    pub(super) fn progress(&self) -> Progress {
        Progress::to(self.0.clone())
    }

    /// Registers the contract of an event that the test itself emits.
    pub(super) fn knows(&self, message_id: &Arc<str>, record: &'static ContractRecord) {
        self.0.emits(message_id, record);
    }

    /// Registers a message as sent by the test itself.
    pub(super) fn gives(&self, message_id: Arc<str>) {
        self.0.lock().log.given.push(message_id);
    }

    /// Returns the virtual time.
    pub(super) fn now(&self) -> Duration {
        self.0.lock().now
    }

    /// Calls `look` with the log.
    pub(super) fn log<T>(&self, look: impl FnOnce(&mut Log) -> T) -> T {
        look(&mut self.0.lock().log)
    }

    /// Returns the number of busy deliveries and of pauses.
    pub(super) fn under_way(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.busy, state.pauses.len())
    }

    /// Returns the attempts whose handlers haven't ended.
    pub(super) fn running(&self) -> Vec<Attempt> {
        let state = self.0.lock();
        state.running.iter().filter_map(|at| state.log.attempts.get(*at)).cloned().collect()
    }

    /// Ends all pauses up to the virtual time `until`, and returns when no delivery is busy. The virtual time is then `until`,
    /// or the end of the last pause if `until` is `Duration::MAX`.
    pub(super) async fn settled(&self, until: Duration) {
        let shared = &*self.0;
        loop {
            // register before the state is read, so that no notification is missed
            let mut fewer_busy = std::pin::pin!(shared.fewer_busy.notified());
            fewer_busy.as_mut().enable();
            match shared.lock().step(until) {
                Step::Settled => return,
                Step::Busy => {}
                // the receiver may be gone by now
                Step::Ends(pause) => drop(pause.over.send(())),
            }
            fewer_busy.await;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Shared {
    fn emits(&self, message_id: &Arc<str>, record: &'static ContractRecord) {
        self.lock().log.records.insert(message_id.clone(), record);
    }

    fn carries(&self, message: &Outgoing) {
        let mut state = self.lock();
        let at = state.now;
        match &message.to {
            PublishTarget::Event { domain, event_type } => {
                let event = format!("{domain}.{event_type}");
                let record = state.log.records.get(&message.message_id).copied();
                let given = state.log.given.contains(&message.message_id);
                let (body, message_id) = (message.body.clone(), message.message_id.clone());
                let envelope = message.envelope(&event);
                state.log.emitted.push(Emission { event, envelope, body, message_id, at, record, given, taken: false });
            }
            PublishTarget::Dead(_) => {
                let headers: Vec<(String, Header)> =
                    message.headers.iter().map(|(name, value)| (name.clone().into_owned(), value.clone())).collect();
                let id = Some((*message.message_id).to_owned());
                let letter = DeadLetter::read(&headers, message.original.as_deref(), id, message.body.clone());
                state.log.dead_letters.push(RecordedLetter { letter, taken: false });
            }
            PublishTarget::Retry(..) | PublishTarget::Back(_) => {}
        }
    }

    fn delivers(self: Arc<Self>) -> Arc<dyn DeliveryObserver> {
        self.lock().busy += 1;
        Arc::new(Token { shared: self, rests: Mutex::new(false), attempt: Mutex::new(None) })
    }
}

/// The next step of a test.
enum Step {
    /// No delivery is busy, and no pause ends up to the time `until`.
    Settled,
    Busy,
    Ends(Pause),
}

impl State {
    /// Returns the next step. Advances the clock if no delivery is busy.
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

    /// Advances the clock to the end of the next pause, if that is not after `until`, and makes its delivery busy again.
    /// Returns the pause, to be dropped outside of the lock: it may hold the last reference to its token.
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

/// A delivery, which is pending until the token is dropped.
struct Token {
    shared: Arc<Shared>,
    /// Read and changed only while `shared` is locked; it has its own mutex because a token is changed through a shared
    /// reference.
    rests: Mutex<bool>,
    /// The index of the delivery's current attempt in the log.
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
        self.shared.fewer_busy.notify_waiters();
    }
}

impl DeliveryObserver for Token {
    fn now(&self) -> Duration {
        self.shared.lock().now
    }

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
            self.shared.fewer_busy.notify_waiters();
            let _guard = PauseGuard { token: &self, key };
            // the sender is dropped only with the pause itself
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
            self.shared.fewer_busy.notify_waiters();
            let _guard = WaitGuard { token: &self, permits: address(&permits) };
            permits.clone().acquire_owned().await.ok()
        })
    }

    fn releases(&self, permits: &Arc<Semaphore>) {
        let mut state = self.shared.lock();
        let next = state.waiting.get_mut(&address(permits)).and_then(VecDeque::pop_front);
        if let Some(next) = &next {
            state.wake(next);
        }
        // drop it outside of the lock: it may be the last reference to the token
        drop(state);
        drop(next);
    }

    fn rest(&self) {
        self.shared.lock().rest(self);
        self.shared.fewer_busy.notify_waiters();
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

/// Removes a delivery that no longer waits for a permit.
struct WaitGuard<'a> {
    token: &'a Arc<Token>,
    permits: usize,
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.token.shared.lock();
        if let Some(waiting) = state.waiting.get_mut(&self.permits) {
            waiting.retain(|other| !Arc::ptr_eq(other, self.token));
        }
        state.wake(self.token);
    }
}

/// Removes a pause whose waiter was cancelled.
struct PauseGuard<'a> {
    token: &'a Arc<Token>,
    key: (Duration, u64),
}

impl Drop for PauseGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.token.shared.lock();
        // drop it outside of the lock: it may hold the last reference to the token
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
