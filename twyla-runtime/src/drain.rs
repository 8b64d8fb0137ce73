//! A running service: taking deliveries, and ending without losing any.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::attempt::{Listening, handle_in_turn};
use crate::batch::handle_together;
use crate::health::Health;
use crate::lanes::Lanes;
use crate::rpc::Server;
use crate::transport::{Delivery, Subscription};
use crate::underway::UnderWay;
use crate::{Bus, Error};

/// How long the last steps of an end may take once no handler is waited for any more.
pub(crate) const LAST_STEPS: Duration = Duration::from_secs(5);

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
    tasks: Vec<JoinHandle<()>>,
    /// What serves its RPCs, if it has some.
    pub(crate) server: Option<Arc<Server>>,
    #[cfg(feature = "rpc-server")]
    pub(crate) address: Option<std::net::SocketAddr>,
    /// Each queue with whether its consumer is there.
    pub(crate) consumers: Vec<(String, watch::Receiver<bool>)>,
    /// Each queue whose listener dedupes, with why its store can't be used, if it can't.
    pub(crate) stores: Vec<(String, watch::Receiver<Option<String>>)>,
    /// What tells of its health: until the end.
    #[cfg(feature = "rpc-server")]
    pub(crate) operations: Option<(std::net::SocketAddr, JoinSet<()>)>,
}

impl Running {
    pub(crate) fn new(bus: Bus, phase: watch::Sender<Phase>) -> Self {
        Self {
            bus,
            phase,
            tasks: Vec::new(),
            server: None,
            #[cfg(feature = "rpc-server")]
            address: None,
            consumers: Vec::new(),
            stores: Vec::new(),
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
        Health::new(self.bus.state(), self.consumers.clone(), self.stores.clone(), self.phase.subscribe())
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
        // First done, then told: who reads the log may rely on it.
        self.phase.send_replace(Phase::Draining);
        tracing::info!(signal, "draining");
        let bus = self.bus.clone();
        self.stop_unless(signals.next()).await;
        bus.close().await;
    }

    /// Drains: takes no more events, lets the handlers that run finish within the drain deadline, and gives the rest back
    /// to the broker. The bus stays open.
    ///
    /// # Cancel safety
    /// Dropping the future goes on with draining in the background.
    pub async fn stop(self) {
        self.stop_unless(std::future::pending::<()>()).await;
    }

    /// As [`stop`](Self::stop), but stops waiting for handlers when `hurry` resolves.
    pub(crate) async fn stop_unless<T>(mut self, hurry: impl Future<Output = T>) {
        self.phase.send_replace(Phase::Draining);
        let mut all = std::pin::pin!(async {
            for task in &mut self.tasks {
                // A panic in there has been reported by the runtime, and there is nothing left to end.
                let _ = task.await;
            }
        });
        tokio::select! {
            () = &mut all => return,
            _ = hurry => {}
        }
        self.phase.send_replace(Phase::Ending);
        all.await;
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

    tokio::select! {
        () = async { while handlers.join_next().await.is_some() {} } => {}
        () = sleep(deadline) => {}
        Ok(_) = phase.wait_for(|phase| *phase == Phase::Ending) => {}
    }
    if !handlers.is_empty() {
        tracing::warn!(event, group, "handlers were stopped; their events go back");
        // A handler that blocks its thread can't be stopped; its event goes back when the connection is closed.
        let _ = timeout(LAST_STEPS, handlers.shutdown()).await;
    }
    let _ = timeout(LAST_STEPS, done).await;
    tracing::info!(event, group, "stopped listening");
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
