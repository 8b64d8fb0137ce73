//! A running service: taking deliveries, and ending without losing any.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::attempt::{Listening, handle_in_turn};
use crate::batch::handle_together;
use crate::ending::Ending;
use crate::health::Health;
use crate::hold_state::Backlog;
use crate::lanes::Lanes;
use crate::rpc::Server;
use crate::transport::{Delivery, Subscription};
use crate::underway::UnderWay;
use crate::{Bus, Error};

/// How many bursts of deliveries are taken at once.
const BATCH: usize = 64;
/// How many deliveries share a task.
const TOGETHER: usize = 16;

/// How far a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Nothing more is taken; handlers may finish.
    Draining,
    /// Handlers that still run are stopped.
    Ending,
}

/// Resolves when the service takes nothing more.
pub(crate) async fn stopping(phase: &mut watch::Receiver<Phase>) {
    // An error means that the `Running` was dropped.
    let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
}

/// A running service: made by [`Service::start`](crate::Service::start).
///
/// Dropping it starts to drain in the background.
#[must_use = "the service stops when this is dropped"]
pub struct Running {
    bus: Bus,
    phase: watch::Sender<Phase>,
    /// Whether the service is to be sent nothing more.
    leaving: watch::Sender<bool>,
    /// For how long it goes on then.
    delay: Duration,
    /// How long the end may take after that.
    deadline: Duration,
    tasks: Vec<JoinHandle<()>>,
    /// What serves its RPCs, if it has some.
    pub(crate) server: Option<Arc<Server>>,
    #[cfg(feature = "rpc-server")]
    pub(crate) address: Option<std::net::SocketAddr>,
    /// Each queue with whether its consumer is there.
    pub(crate) consumers: Vec<(String, watch::Receiver<bool>)>,
    /// Each queue whose listener dedupes, with why its store can't be used, if it can't.
    pub(crate) stores: Vec<(String, watch::Receiver<Option<String>>)>,
    /// Each queue with the deliveries that wait to be dead-lettered.
    pub(crate) held: Vec<(String, watch::Receiver<Backlog>)>,
    /// What tells of its health: until the end.
    #[cfg(feature = "rpc-server")]
    pub(crate) operations: Option<(std::net::SocketAddr, JoinSet<()>)>,
}

impl Running {
    pub(crate) fn new(bus: Bus, phase: watch::Sender<Phase>, delay: Duration, deadline: Duration) -> Self {
        Self {
            bus,
            phase,
            leaving: watch::Sender::new(false),
            delay,
            deadline,
            tasks: Vec::new(),
            server: None,
            #[cfg(feature = "rpc-server")]
            address: None,
            consumers: Vec::new(),
            stores: Vec::new(),
            held: Vec::new(),
            #[cfg(feature = "rpc-server")]
            operations: None,
        }
    }

    pub(crate) fn add(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    /// Whether the service is ready, now and for as long as this is asked.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::new(
            self.bus.state(),
            self.consumers.clone(),
            self.stores.clone(),
            self.held.clone(),
            self.phase.subscribe(),
            self.leaving.subscribe(),
        )
    }

    /// Goes on until the process gets SIGINT or SIGTERM, then ends as [`Service::run`](crate::Service::run) does.
    ///
    /// # Errors
    /// [`Error::Signals`].
    ///
    /// # Cancel safety
    /// Dropping the future starts to drain in the background.
    pub async fn run(self) -> Result<(), Error> {
        self.run_until(Signals::new()?).await;
        Ok(())
    }

    pub(crate) async fn run_until(self, mut signals: Signals) {
        let signal = signals.next().await;
        self.leave(signals.next()).await;
        let until = Ending::within(self.deadline).all;
        // Update the state before logging, so that the log can be trusted.
        self.phase.send_replace(Phase::Draining);
        tracing::info!(signal, "draining");
        let bus = self.bus.clone();
        self.stop_unless(signals.next()).await;
        close(&bus, until).await;
    }

    /// Is not ready any more, but goes on for the shutdown delay, or until `hurry` resolves.
    pub(crate) async fn leave<T>(&self, hurry: impl Future<Output = T>) {
        self.leaving.send_replace(true);
        if !self.delay.is_zero() {
            tracing::info!(delay = ?self.delay, "not ready any more, draining after the delay");
            tokio::select! {
                () = sleep(self.delay) => {}
                _ = hurry => {}
            }
        }
    }

    /// The end of a service that was asked for by other means than a signal, with that of its bus.
    pub(crate) async fn end(self) {
        self.leave(std::future::pending::<()>()).await;
        let (bus, until) = (self.bus.clone(), Ending::within(self.deadline).all);
        self.stop().await;
        close(&bus, until).await;
    }

    /// Drains: takes no more events, lets the handlers that run finish within the drain deadline, and gives the rest back
    /// to the broker. The bus stays open, and there is no [`shutdown_delay`](crate::Service::shutdown_delay).
    ///
    /// # Cancel safety
    /// Dropping the future goes on with draining in the background.
    pub async fn stop(self) {
        self.stop_unless(std::future::pending::<()>()).await;
    }

    /// As [`stop`](Self::stop), but stops waiting for handlers when `hurry` resolves.
    pub(crate) async fn stop_unless<T>(mut self, hurry: impl Future<Output = T>) {
        self.phase.send_replace(Phase::Draining);
        let mut ending = Ending::within(self.deadline);
        let mut all = std::pin::pin!(async {
            for task in &mut self.tasks {
                // A panic in there has been reported by the runtime, and there is nothing left to end.
                let _ = task.await;
            }
        });
        tokio::select! {
            () = &mut all => return,
            () = sleep_until(ending.handlers) => {}
            _ = hurry => ending = ending.hurry(),
        }
        self.phase.send_replace(Phase::Ending);
        if timeout_at(ending.steps, all).await.is_err() {
            // what none of the steps above was able to end: a handler that blocks its thread, a database that doesn't answer
            self.tasks.iter().for_each(JoinHandle::abort);
            tracing::warn!("not all of the service has ended in time, and it ends all the same");
        }
    }
}

impl Drop for Running {
    /// What asks how far the service is, and doesn't wait for it to change, gets to know it too.
    fn drop(&mut self) {
        self.phase.send_if_modified(|phase| {
            let runs = *phase == Phase::Running;
            if runs {
                *phase = Phase::Draining;
            }
            runs
        });
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("listeners", &self.tasks.len()).field("phase", &*self.phase.borrow()).finish()
    }
}

/// Runs one listener until the service stops, then drains it.
pub(crate) async fn serve(listening: Arc<Listening>, subscription: Subscription, deadline: Duration) {
    let Subscription { mut deliveries, intake, done, .. } = subscription;
    let (event, group) = (listening.queue.event, listening.queue.group);
    let mut phase = listening.stopping.clone();
    let mut handlers = JoinSet::new();
    let mut taken: Vec<Vec<Delivery>> = Vec::with_capacity(BATCH);
    // Which lane each handler is in, where events are ordered by a key.
    let (mut lanes, mut begun) = (Lanes::<Delivery>::default(), HashMap::<Id, (u64, UnderWay)>::new());
    loop {
        tokio::select! {
            biased;
            // An error means that the `Running` was dropped.
            _ = phase.wait_for(|phase| *phase != Phase::Running) => break,
            Some(ended) = handlers.join_next_with_id() => {
                let ended = ended.map_or_else(|error| error.id(), |(id, ())| id);
                if let Some((lane, ended)) = begun.remove(&ended)
                    && let Some(delivery) = lanes.leave(lane)
                {
                    let under_way = delivery.under_way.clone();
                    under_way.wake();
                    // only now, so that at no moment nothing is under way
                    ended.ends();
                    begun.insert(handlers.spawn(handle_in_turn(listening.clone(), delivery)).id(), (lane, under_way));
                }
            }
            count = deliveries.recv_many(&mut taken, BATCH) => {
                if count == 0 {
                    break;
                }
                let mut next = taken.drain(..).flatten();
                if !listening.is_ordered() {
                    loop {
                        let together: Vec<_> = next.by_ref().take(TOGETHER).collect();
                        if together.is_empty() {
                            break;
                        }
                        handlers.spawn(handle_together(listening.clone(), together));
                    }
                    // Nothing waits for the end of one.
                    while handlers.try_join_next().is_some() {}
                    continue;
                }
                for delivery in next {
                    match listening.lane(&delivery) {
                        None => {
                            handlers.spawn(handle_in_turn(listening.clone(), delivery));
                        }
                        Some(lane) => {
                            let under_way = delivery.under_way.clone();
                            match lanes.enter(lane, delivery) {
                                Some(delivery) => {
                                    let handler = handlers.spawn(handle_in_turn(listening.clone(), delivery));
                                    begun.insert(handler.id(), (lane, under_way));
                                }
                                None => under_way.rest(),
                            }
                        }
                    }
                }
            }
        }
    }
    drop(intake);
    // What no handler has begun goes back to its queue.
    drop((taken, deliveries, lanes));

    let mut ending = Ending::within(deadline);
    tokio::select! {
        () = async { while handlers.join_next().await.is_some() {} } => {}
        () = sleep_until(ending.handlers) => {}
        Ok(_) = phase.wait_for(|phase| *phase == Phase::Ending) => ending = ending.hurry(),
    }
    let last_steps = async {
        if !handlers.is_empty() {
            tracing::warn!(event, group, "handlers were stopped; their events go back");
            // A handler that blocks its thread can't be stopped; its event goes back when the connection is closed.
            handlers.shutdown().await;
        }
        done.await;
    };
    let _ = timeout_at(ending.steps, last_steps).await;
    tracing::info!(event, group, "stopped listening");
}

/// Closes a bus by then: what is unconfirmed may be sent or not.
async fn close(bus: &Bus, until: Instant) {
    if timeout_at(until, bus.close()).await.is_err() {
        tracing::warn!("the bus was not closed in time: what it had not confirmed may be sent or not");
    }
}

/// SIGINT and SIGTERM.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on these signals no longer end the process.
    pub(crate) fn new() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let told_of = |kind| signal(kind).map_err(Error::Signals);
        Ok(Self { interrupt: told_of(SignalKind::interrupt())?, terminate: told_of(SignalKind::terminate())? })
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }
}
