//! One connection to RabbitMQ that is made again after every loss, for ever.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt;
use lapin::Event;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep};

use super::connected::Connected;
use super::dial::dial;
use crate::bus::config::Config;
use crate::bus::error::Error;
use crate::service::retry::doubled;
use crate::telemetry::metrics::Links;
use crate::transport::amqp::io::stream::Trunk;
use crate::transport::state::{Line, LinkState};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether a connection still is one, should lapin not tell of its end.
const LOOK: Duration = Duration::from_secs(1);
/// How long lapin may take to say goodbye on a connection that is lost.
const GRACE: Duration = Duration::from_secs(5);

/// Connects, trying again until the connect deadline unless the broker refuses.
///
/// # Errors
/// [`Error::Connect`].
pub(crate) async fn connect(config: &Arc<Config>, role: &'static str) -> Result<Connected, Error> {
    let until = Instant::now() + config.connect_deadline;
    let (mut pauses, mut turn) = (Pauses::default(), any_turn());
    let mut said: Option<String> = None;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let part = left.min(config.connect_deadline / u32::try_from(config.nodes.len()).unwrap_or(u32::MAX));
        match dial(config, turn, role, part).await {
            Ok(connection) => return Ok(connection),
            Err(failure) if failure.refused || Instant::now() + pauses.peek() >= until => {
                let (address, user) = (config.address(), config.user.clone());
                // What was said before tells more than that the last try had too little time.
                let why = said.filter(|_| failure.late).unwrap_or(failure.why);
                return Err(Error::Connect { address, user, why });
            }
            Err(failure) => {
                tracing::debug!(role, node = config.node(turn).0, error = failure.why, "can't connect yet");
                turn += 1;
                if !failure.late {
                    said = Some(failure.why);
                }
                sleep(pauses.next()).await;
            }
        }
    }
}

/// A connection that comes back.
pub(crate) struct Link {
    role: &'static str,
    state: watch::Receiver<State>,
    closing: watch::Sender<bool>,
}

#[derive(Clone)]
enum State {
    /// With why it takes no messages now, if so.
    Up(Arc<Connected>, Option<Arc<str>>),
    Down(Arc<str>),
    Closed,
}

impl Link {
    /// Connects as [`connect`] does; from then on it stays up by itself.
    pub(crate) async fn open(config: Arc<Config>, role: &'static str, line: Line) -> Result<Arc<Self>, Error> {
        let connection = connect(&config, role).await?;
        tracing::info!(role, address = config.address(), "connected");
        let connection = Arc::new(connection);
        let (up, state) = watch::channel(State::Up(connection.clone(), None));
        line.set(LinkState::Up);
        let figures = Links::new(role);
        figures.up(true);
        let (closing, closed) = watch::channel(false);
        tokio::spawn(supervise(config, role, connection, Told { up, line, figures }, closed));
        Ok(Arc::new(Self { role, state, closing }))
    }

    /// The connection, once there is one; `None` if the link is closed.
    pub(crate) async fn connection(&self) -> Option<Arc<Connected>> {
        match &*self.state.clone().wait_for(|state| !matches!(state, State::Down(_))).await.ok()? {
            State::Up(connection, _) => Some(connection.clone()),
            State::Down(_) | State::Closed => None,
        }
    }

    /// Resolves once the connection takes messages, or is another one, or none.
    pub(crate) async fn unblocked(&self, connection: &Arc<Connected>) {
        let same = |other: &Arc<Connected>| Arc::ptr_eq(connection, other);
        // An error means that the supervisor has ended.
        let _ = self.state.clone().wait_for(|now| !matches!(now, State::Up(it, Some(_)) if same(it))).await;
    }

    /// Whether there is a connection that takes messages.
    pub(crate) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(_, None))
    }

    /// What stands in the way now.
    pub(crate) fn trouble(&self) -> String {
        match &*self.state.borrow() {
            State::Up(_, Some(why)) => format!("RabbitMQ takes no messages now: {why}"),
            State::Up(_, None) => "RabbitMQ did not answer".to_owned(),
            State::Down(why) => format!("no connection to RabbitMQ: {why}"),
            State::Closed => "the bus is closed".to_owned(),
        }
    }

    /// Closes the connection for good.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        // An error means that the supervisor has ended.
        let _ = self.state.clone().wait_for(|state| matches!(state, State::Closed)).await;
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.state.borrow() {
            State::Up(_, None) => "up",
            State::Up(_, Some(_)) => "blocked",
            State::Down(_) => "down",
            State::Closed => "closed",
        };
        f.debug_struct("Link").field("role", &self.role).field("state", &state).finish()
    }
}

/// Who is told of a connection's state: those who use it, and those who look.
struct Told {
    up: watch::Sender<State>,
    line: Line,
    figures: Links,
}

impl Told {
    fn up(&self, connection: &Arc<Connected>) {
        self.up.send_replace(State::Up(connection.clone(), None));
        self.line.set(LinkState::Up);
    }

    fn blocked(&self, connection: &Arc<Connected>, why: &str) {
        self.up.send_replace(State::Up(connection.clone(), Some(why.into())));
        self.line.set(LinkState::Blocked { why: why.to_owned() });
    }

    fn down(&self, why: &str) {
        self.figures.up(false);
        self.up.send_replace(State::Down(why.into()));
        self.line.down(why, Utc::now());
    }

    fn closed(&self) {
        self.figures.up(false);
        self.up.send_replace(State::Closed);
        self.line.set(LinkState::Closed);
    }
}

/// Keeps the connection up until the link is closed or nobody has it any more.
async fn supervise(
    config: Arc<Config>,
    role: &'static str,
    first: Arc<Connected>,
    told: Told,
    mut closing: watch::Receiver<bool>,
) {
    let mut connection = first;
    loop {
        let why = tokio::select! {
            why = loss(&connection, &told) => why,
            () = asked(&mut closing) => {
                connection.close_within(config.connect_deadline).await;
                return told.closed();
            }
        };
        tracing::warn!(role, error = why, "connection lost, connecting again");
        told.down(&why);
        tokio::spawn(leave(connection.trunk.clone()));
        drop(connection);
        let lost = Instant::now();
        let (mut pauses, mut turn) = (Pauses::default(), any_turn());
        connection = loop {
            tokio::select! {
                () = sleep(pauses.next()) => {}
                () = asked(&mut closing) => return told.closed(),
            }
            match dial(&config, turn, role, config.connect_deadline).await {
                Ok(connection) => break Arc::new(connection),
                Err(failure) => {
                    turn += 1;
                    tracing::warn!(role, error = failure.why, "can't connect, trying again");
                    told.down(&failure.why);
                }
            }
        };
        tracing::info!(role, outage = ?lost.elapsed(), "connected again");
        told.figures.reconnected();
        told.figures.up(true);
        told.up(&connection);
    }
}

/// Ends the stream of a lost connection if it hasn't ended by itself, so that the broker doesn't keep the connection.
pub(crate) async fn leave(trunk: Arc<Trunk>) {
    sleep(GRACE).await;
    trunk.cut();
}

/// Resolves when the link is to be closed, or nobody has it any more.
async fn asked(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Resolves when the connection is lost, with what is known of the cause.
async fn loss(connection: &Arc<Connected>, told: &Told) -> String {
    let mut events = connection.events_listener();
    let mut look = interval(LOOK);
    loop {
        tokio::select! {
            event = events.next() => match event {
                // lapin reports the errors of single channels here too. The state is set before the error is sent.
                Some(Event::Error(error)) if connection.status().connected() => {
                    tracing::debug!(error = %error, "a channel has ended");
                }
                Some(Event::Error(error)) => return error.to_string(),
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(why, "RabbitMQ takes no messages for now");
                    told.blocked(connection, &why);
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!("RabbitMQ takes messages again");
                    told.up(connection);
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

/// Growing pauses, each shortened by chance, so that many clients don't come back in the same moment.
pub(crate) struct Pauses {
    first: Duration,
    longest: Duration,
    times: u32,
}

impl Default for Pauses {
    fn default() -> Self {
        Self::between(FIRST_PAUSE, LONGEST_PAUSE)
    }
}

impl Pauses {
    /// Pauses from half of `first` on.
    pub(crate) fn between(first: Duration, longest: Duration) -> Self {
        Self { first, longest, times: 0 }
    }

    fn peek(&self) -> Duration {
        doubled(self.first, self.longest, self.times)
    }

    pub(crate) fn next(&mut self) -> Duration {
        let full = self.peek();
        self.times += 1;
        full / 2 + full / 2 * u32::from(chance()) / 255
    }
}

/// Which node is the first that is tried: any, so that many clients spread over all.
fn any_turn() -> usize {
    chance().into()
}

fn chance() -> u8 {
    uuid::Uuid::new_v4().as_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        let mut pauses = Pauses::default();
        for times in 0..40 {
            let full = doubled(FIRST_PAUSE, LONGEST_PAUSE, times);
            let pause = pauses.next();
            assert!(pause >= full / 2 && pause <= full, "{times}: {pause:?}");
        }
    }
}
