//! A connection to RabbitMQ that reconnects after every failure, without limit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt;
use lapin::Event;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep};

use super::backoff::{self, Backoff};
use super::connected::Connected;
use super::dial::dial;
use crate::bus::config::Config;
use crate::bus::error::Error;
use crate::telemetry::metrics::LinkMetrics;
use crate::transport::amqp::io::stream::AmqpStream;
use crate::transport::state::{LinkState, LinkStateSender};

/// How often the connection's status is checked, in case lapin doesn't report its end.
const LOOK: Duration = Duration::from_secs(1);
/// How long lapin may take to close a lost connection.
const GRACE: Duration = Duration::from_secs(5);

/// Connects, with retries until the connect deadline unless the broker refuses.
///
/// # Errors
/// [`Error::Connect`].
pub(crate) async fn connect(config: &Arc<Config>, role: &'static str) -> Result<Connected, Error> {
    let until = Instant::now() + config.connect_deadline;
    let (mut backoff, mut turn) = (Backoff::default(), any_turn());
    let mut last_error: Option<String> = None;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let part = left.min(config.connect_deadline / u32::try_from(config.nodes.len()).unwrap_or(u32::MAX));
        match dial(config, turn, role, part).await {
            Ok(connection) => return Ok(connection),
            Err(failure) if failure.refused || Instant::now() + backoff.peek() >= until => {
                let (address, user) = (config.address(), config.user.clone());
                // an earlier error is more useful than a timeout
                let why = last_error.filter(|_| failure.late).unwrap_or(failure.why);
                return Err(Error::Connect { address, user, why });
            }
            Err(failure) => {
                tracing::debug!(role, node = config.node(turn).0, error = failure.why, "can't connect yet");
                turn += 1;
                if !failure.late {
                    last_error = Some(failure.why);
                }
                sleep(backoff.next()).await;
            }
        }
    }
}

/// A connection that reconnects.
pub(crate) struct AmqpLink {
    role: &'static str,
    state: watch::Receiver<ConnectionStatus>,
    closing: watch::Sender<bool>,
}

#[derive(Clone)]
enum ConnectionStatus {
    /// Connected; with the broker's reason while it blocks publishing.
    Up(Arc<Connected>, Option<Arc<str>>),
    Down(Arc<str>),
    Closed,
}

impl AmqpLink {
    /// Connects as [`connect`] does, and keeps the connection up from then on.
    pub(crate) async fn open(
        config: Arc<Config>,
        role: &'static str,
        line: LinkStateSender,
    ) -> Result<Arc<Self>, Error> {
        let connection = connect(&config, role).await?;
        tracing::info!(role, address = config.address(), "connected");
        let connection = Arc::new(connection);
        let (up, state) = watch::channel(ConnectionStatus::Up(connection.clone(), None));
        line.set(LinkState::Up);
        let metrics = LinkMetrics::new(role);
        metrics.up(true);
        let (closing, closed) = watch::channel(false);
        tokio::spawn(supervise(config, role, connection, StatusReporter { up, line, metrics }, closed));
        Ok(Arc::new(Self { role, state, closing }))
    }

    /// Waits for the connection; `None` if the link is closed.
    pub(crate) async fn connection(&self) -> Option<Arc<Connected>> {
        match &*self.state.clone().wait_for(|state| !matches!(state, ConnectionStatus::Down(_))).await.ok()? {
            ConnectionStatus::Up(connection, _) => Some(connection.clone()),
            ConnectionStatus::Down(_) | ConnectionStatus::Closed => None,
        }
    }

    /// Resolves once the connection is no longer blocked, or has been lost or replaced.
    pub(crate) async fn unblocked(&self, connection: &Arc<Connected>) {
        let same = |other: &Arc<Connected>| Arc::ptr_eq(connection, other);
        // An error means that the supervisor has ended.
        let _ = self.state.clone().wait_for(|now| !matches!(now, ConnectionStatus::Up(it, Some(_)) if same(it))).await;
    }

    /// Returns whether the connection is up and not blocked.
    pub(crate) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), ConnectionStatus::Up(_, None))
    }

    /// Returns why nothing can be published now.
    pub(crate) fn trouble(&self) -> String {
        match &*self.state.borrow() {
            ConnectionStatus::Up(_, Some(why)) => format!("RabbitMQ blocks publishing: {why}"),
            ConnectionStatus::Up(_, None) => "RabbitMQ did not answer".to_owned(),
            ConnectionStatus::Down(why) => format!("no connection to RabbitMQ: {why}"),
            ConnectionStatus::Closed => "the bus is closed".to_owned(),
        }
    }

    /// Closes the connection permanently.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        // An error means that the supervisor has ended.
        let _ = self.state.clone().wait_for(|state| matches!(state, ConnectionStatus::Closed)).await;
    }
}

impl fmt::Debug for AmqpLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.state.borrow() {
            ConnectionStatus::Up(_, None) => "up",
            ConnectionStatus::Up(_, Some(_)) => "blocked",
            ConnectionStatus::Down(_) => "down",
            ConnectionStatus::Closed => "closed",
        };
        f.debug_struct("AmqpLink").field("role", &self.role).field("state", &state).finish()
    }
}

/// Publishes the status of a connection to its users, the bus state and the metrics.
struct StatusReporter {
    up: watch::Sender<ConnectionStatus>,
    line: LinkStateSender,
    metrics: LinkMetrics,
}

impl StatusReporter {
    fn up(&self, connection: &Arc<Connected>) {
        self.up.send_replace(ConnectionStatus::Up(connection.clone(), None));
        self.line.set(LinkState::Up);
    }

    fn blocked(&self, connection: &Arc<Connected>, why: &str) {
        self.up.send_replace(ConnectionStatus::Up(connection.clone(), Some(why.into())));
        self.line.set(LinkState::Blocked { why: why.to_owned() });
    }

    fn down(&self, why: &str) {
        self.metrics.up(false);
        self.up.send_replace(ConnectionStatus::Down(why.into()));
        self.line.down(why, Utc::now());
    }

    fn closed(&self) {
        self.metrics.up(false);
        self.up.send_replace(ConnectionStatus::Closed);
        self.line.set(LinkState::Closed);
    }
}

/// Keeps the connection up until the link is closed or dropped.
async fn supervise(
    config: Arc<Config>,
    role: &'static str,
    first: Arc<Connected>,
    reporter: StatusReporter,
    mut closing: watch::Receiver<bool>,
) {
    let mut connection = first;
    loop {
        let why = tokio::select! {
            why = loss(&connection, &reporter) => why,
            () = asked(&mut closing) => {
                connection.close_within(config.connect_deadline).await;
                return reporter.closed();
            }
        };
        tracing::warn!(role, error = why, "connection lost, reconnecting");
        reporter.down(&why);
        tokio::spawn(leave(connection.stream.clone()));
        drop(connection);
        let lost = Instant::now();
        let (mut backoff, mut turn) = (Backoff::default(), any_turn());
        connection = loop {
            tokio::select! {
                () = sleep(backoff.next()) => {}
                () = asked(&mut closing) => return reporter.closed(),
            }
            match dial(&config, turn, role, config.connect_deadline).await {
                Ok(connection) => break Arc::new(connection),
                Err(failure) => {
                    turn += 1;
                    tracing::warn!(role, error = failure.why, "can't connect, trying again");
                    reporter.down(&failure.why);
                }
            }
        };
        tracing::info!(role, outage = ?lost.elapsed(), "reconnected");
        reporter.metrics.reconnected();
        reporter.metrics.up(true);
        reporter.up(&connection);
    }
}

/// Ends the stream of a lost connection after a grace period, so that the broker drops the connection.
pub(crate) async fn leave(stream: Arc<AmqpStream>) {
    sleep(GRACE).await;
    stream.abort();
}

/// Resolves when the link is closed or dropped.
async fn asked(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Resolves with the cause when the connection is lost.
async fn loss(connection: &Arc<Connected>, reporter: &StatusReporter) -> String {
    let mut events = connection.events_listener();
    let mut look = interval(LOOK);
    loop {
        tokio::select! {
            event = events.next() => match event {
                // lapin also reports channel errors here; it updates the connection's status before it sends an error
                Some(Event::Error(error)) if connection.status().connected() => {
                    tracing::debug!(error = %error, "a channel has ended");
                }
                Some(Event::Error(error)) => return error.to_string(),
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(why, "RabbitMQ blocks publishing");
                    reporter.blocked(connection, &why);
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!("RabbitMQ no longer blocks publishing");
                    reporter.up(connection);
                }
                Some(_) => {}
                None => return "the connection has ended".to_owned(),
            },
            _ = look.tick() => if !connection.status().connected() {
                return "the connection has ended".to_owned();
            },
        }
    }
}

/// Returns a random node to try first, so that many clients spread over all nodes.
fn any_turn() -> usize {
    backoff::chance().into()
}
