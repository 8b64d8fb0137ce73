//! A running service and its shutdown.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
#[cfg(feature = "rpc-server")]
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::backlog::Backlog;
use super::health::Health;
use super::phase::Phase;
use super::shutdown::ShutdownDeadlines;
use super::signals::Signals;
use super::store_state::WaitingForStore;
use crate::rpc::Server;
use crate::{Bus, Error};

/// A running service, from [`Service::start`](crate::Service::start).
///
/// Dropping it starts to drain in the background.
#[must_use = "the service stops when this is dropped"]
pub struct Running {
    bus: Bus,
    phase: watch::Sender<Phase>,
    /// Whether the service reports that it isn't ready because it will stop soon.
    leaving: watch::Sender<bool>,
    /// How long the service keeps working after the signal to stop.
    delay: Duration,
    /// The maximum time of the shutdown, counted from the end of the delay.
    deadline: Duration,
    tasks: Vec<JoinHandle<()>>,
    /// The RPC server, if the service has RPCs.
    pub(crate) server: Option<Arc<Server>>,
    #[cfg(feature = "rpc-server")]
    pub(crate) address: Option<std::net::SocketAddr>,
    /// The name of each queue, and whether its consumer exists.
    pub(crate) consumers: Vec<(String, watch::Receiver<bool>)>,
    /// The name of each queue, and its deliveries that wait for the dedupe store or the outbox.
    pub(crate) stores: Vec<(String, watch::Receiver<WaitingForStore>)>,
    /// The name of each queue, and its deliveries that wait to be dead-lettered.
    pub(crate) held: Vec<(String, watch::Receiver<Backlog>)>,
    /// The name of each queue whose listener may pause, and the reason of its pause.
    pub(crate) paused: Vec<(String, watch::Receiver<Option<String>>)>,
    /// The address and the task of the health server, which runs until the service has drained.
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
            paused: Vec::new(),
            #[cfg(feature = "rpc-server")]
            operations: None,
        }
    }

    pub(crate) fn add(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    /// Returns the service's health; each call of its methods reads the current state.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::new(
            self.bus.state(),
            self.consumers.clone(),
            self.stores.clone(),
            self.held.clone(),
            self.paused.clone(),
            self.phase.subscribe(),
            self.leaving.subscribe(),
        )
    }

    /// Runs until the process gets SIGINT or SIGTERM, then ends as [`Service::run`](crate::Service::run) does.
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
        let until = ShutdownDeadlines::within(self.deadline).all;
        // Update the state before logging, so that the log can be trusted.
        self.phase.send_replace(Phase::Draining);
        tracing::info!(signal, "draining");
        let bus = self.bus.clone();
        self.stop_unless(signals.next()).await;
        close(&bus, until).await;
    }

    /// Reports not ready, but keeps working for the shutdown delay, or until `hurry` resolves.
    pub(crate) async fn leave<T>(&self, hurry: impl Future<Output = T>) {
        self.leaving.send_replace(true);
        if !self.delay.is_zero() {
            tracing::info!(delay = ?self.delay, "the service is no longer ready, and drains after the delay");
            tokio::select! {
                () = sleep(self.delay) => {}
                _ = hurry => {}
            }
        }
    }

    /// Shuts the service and its bus down without a signal.
    pub(crate) async fn end(self) {
        self.leave(std::future::pending::<()>()).await;
        let (bus, until) = (self.bus.clone(), ShutdownDeadlines::within(self.deadline).all);
        self.stop().await;
        close(&bus, until).await;
    }

    /// Drains the service: takes no more events, lets running handlers finish within the drain deadline, and returns the
    /// rest to the broker. The bus stays open, and there is no [`shutdown_delay`](crate::Service::shutdown_delay).
    ///
    /// # Cancel safety
    /// Dropping the future continues draining in the background.
    pub async fn stop(self) {
        self.stop_unless(std::future::pending::<()>()).await;
    }

    /// Drains like [`stop`](Self::stop), but stops waiting for handlers when `hurry` resolves.
    pub(crate) async fn stop_unless<T>(mut self, hurry: impl Future<Output = T>) {
        self.phase.send_replace(Phase::Draining);
        let mut ending = ShutdownDeadlines::within(self.deadline);
        let mut all = std::pin::pin!(async {
            for task in &mut self.tasks {
                // The runtime has already reported a panic in the task.
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
            // for example a handler that blocks its thread, or a database that doesn't answer
            self.tasks.iter().for_each(JoinHandle::abort);
            let tasks = self.tasks.len();
            tracing::warn!(tasks, "handlers or consumers didn't end within the drain deadline and are aborted");
        }
    }
}

impl Drop for Running {
    /// Begins to drain, and wakes tasks that watch the phase.
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

/// Closes a bus, and waits until `until` at the latest. A message that is unconfirmed then may or may not have been sent.
async fn close(bus: &Bus, until: Instant) {
    if timeout_at(until, bus.close()).await.is_err() {
        tracing::warn!("the bus was not closed in time: unconfirmed events may or may not have been sent");
    }
}
