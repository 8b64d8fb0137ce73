//! One connection to RabbitMQ that is made again after every loss, for ever.

use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_lite::StreamExt;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, ErrorKind, Event};
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, timeout};

use crate::config::Config;
use crate::error::Error;
use crate::retry::doubled;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether a connection still is one, should lapin not tell of its end.
const LOOK: Duration = Duration::from_secs(1);

/// A connection that comes back.
pub(crate) struct Link {
    role: &'static str,
    state: watch::Receiver<State>,
    closing: watch::Sender<bool>,
}

#[derive(Clone)]
enum State {
    Up(Arc<Connection>),
    Down(Arc<str>),
    Closed,
}

impl Link {
    /// Connects, trying again until the connect deadline unless the broker refuses; from then on it stays up by itself.
    pub(crate) async fn open(config: Arc<Config>, role: &'static str) -> Result<Arc<Self>, Error> {
        let until = Instant::now() + config.connect_deadline;
        let mut pauses = Pauses::default();
        let connection = loop {
            let left = until.saturating_duration_since(Instant::now());
            match connect(&config, role, left).await {
                Ok(connection) => break connection,
                Err(failure) if failure.refused || Instant::now() + pauses.peek() >= until => {
                    let (address, user) = (config.address(), config.user.clone());
                    return Err(Error::Connect { address, user, why: failure.why });
                }
                Err(failure) => {
                    tracing::debug!(role, error = failure.why, "can't connect yet");
                    sleep(pauses.next()).await;
                }
            }
        };
        tracing::info!(role, address = config.address(), "connected");
        let connection = Arc::new(connection);
        let (up, state) = watch::channel(State::Up(connection.clone()));
        let (closing, closed) = watch::channel(false);
        tokio::spawn(supervise(config, role, connection, up, closed));
        Ok(Arc::new(Self { role, state, closing }))
    }

    /// The connection, once there is one; `None` if the link is closed.
    pub(crate) async fn connection(&self) -> Option<Arc<Connection>> {
        let mut state = self.state.clone();
        let state = state.wait_for(|state| !matches!(state, State::Down(_))).await.ok()?;
        match &*state {
            State::Up(connection) => Some(connection.clone()),
            State::Down(_) | State::Closed => None,
        }
    }

    /// What stands in the way now.
    pub(crate) fn trouble(&self) -> String {
        match &*self.state.borrow() {
            State::Up(connection) if connection.status().blocked() => {
                "RabbitMQ takes no messages now: it is short of memory or disk".to_owned()
            }
            State::Up(_) => "RabbitMQ did not answer".to_owned(),
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
            State::Up(_) => "up",
            State::Down(_) => "down",
            State::Closed => "closed",
        };
        f.debug_struct("Link").field("role", &self.role).field("state", &state).finish()
    }
}

/// Keeps the connection up until the link is closed or nobody has it any more.
async fn supervise(
    config: Arc<Config>,
    role: &'static str,
    first: Arc<Connection>,
    up: watch::Sender<State>,
    mut closed: watch::Receiver<bool>,
) {
    let mut connection = first;
    loop {
        let why = tokio::select! {
            why = loss(&connection) => why,
            () = told(&mut closed) => {
                if connection.status().connected() {
                    // An error here is the end of a connection that was to end.
                    let _ = timeout(config.connect_deadline, connection.close(200, "OK".into())).await;
                }
                up.send_replace(State::Closed);
                return;
            }
        };
        tracing::warn!(role, error = why, "connection lost, connecting again");
        up.send_replace(State::Down(why.into()));
        drop(connection);
        let mut pauses = Pauses::default();
        connection = loop {
            tokio::select! {
                () = sleep(pauses.next()) => {}
                () = told(&mut closed) => {
                    up.send_replace(State::Closed);
                    return;
                }
            }
            // Not given up half way: `connect` has a deadline, and what it has begun must end.
            match connect(&config, role, config.connect_deadline).await {
                Ok(connection) => break Arc::new(connection),
                Err(failure) => {
                    tracing::warn!(role, error = failure.why, "can't connect, trying again");
                    up.send_replace(State::Down(failure.why.into()));
                }
            }
        };
        tracing::info!(role, "connected again");
        up.send_replace(State::Up(connection.clone()));
    }
}

/// Resolves when the link is to be closed, or nobody has it any more.
async fn told(closed: &mut watch::Receiver<bool>) {
    let _ = closed.wait_for(|closed| *closed).await;
}

/// Resolves when the connection is lost, with what is known of the cause.
async fn loss(connection: &Connection) -> String {
    let mut events = connection.events_listener();
    let mut look = interval(LOOK);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Error(error)) => return error.to_string(),
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(why, "RabbitMQ takes no messages for now");
                }
                Some(Event::ConnectionUnblocked) => tracing::info!("RabbitMQ takes messages again"),
                Some(_) => {}
                None => return "the connection has ended".to_owned(),
            },
            _ = look.tick() => if !connection.status().connected() {
                return "the connection has ended".to_owned();
            },
        }
    }
}

struct Failure {
    why: String,
    /// Trying again makes no sense: the broker refuses this user, password or virtual host.
    refused: bool,
}

/// Connects once, within `deadline`.
async fn connect(config: &Config, role: &str, deadline: Duration) -> Result<Connection, Failure> {
    let uri = AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: config.user.clone(), password: config.password.clone() },
            host: config.host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: config.port,
        },
        vhost: config.vhost.clone(),
        query: AMQPQueryString {
            heartbeat: Some(u16::try_from(config.heartbeat.as_secs()).unwrap_or(u16::MAX)),
            ..AMQPQueryString::default()
        },
    };
    let options = ConnectionProperties::default().with_connection_name(format!("{} {role}", config.app_id).into());
    let runtime = lapin::runtime::default_runtime().map_err(|e| Failure { why: e.to_string(), refused: false })?;

    // lapin has no deadline of its own, and a connect that is given up leaves its thread waiting for the peer for ever.
    // So a second handle to the socket is kept, and shut down when the time is over: then lapin ends by itself.
    let socket: Arc<Mutex<Option<TcpStream>>> = Arc::default();
    let kept = socket.clone();
    let mut connecting = std::pin::pin!(Connection::connector(
        uri,
        runtime,
        async move |uri: AMQPUri, runtime| {
            let addresses = runtime.to_socket_addrs((uri.authority.host, uri.authority.port));
            let stream = timeout(deadline, AsyncTcpStream::connect(&runtime, addresses))
                .await
                .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
            if let AsyncTcpStream::Plain(stream) = &stream {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = second_handle(stream.get_ref()).ok();
            }
            Ok(stream)
        },
        options
    ));
    tokio::select! {
        outcome = &mut connecting => outcome.map_err(|error| Failure { refused: refused(&error), why: error.to_string() }),
        () = sleep(deadline) => {
            if let Some(socket) = socket.lock().unwrap_or_else(PoisonError::into_inner).take() {
                // It fails if the peer was faster, which is as well.
                let _ = socket.shutdown(Shutdown::Both);
            }
            let why = format!("no answer within {deadline:?}");
            match timeout(LONGEST_PAUSE, connecting).await {
                Ok(Ok(connection)) => Ok(connection),
                Ok(Err(_)) | Err(_) => Err(Failure { why, refused: false }),
            }
        }
    }
}

fn refused(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(error) = error.kind() else {
        return matches!(error.kind(), ErrorKind::AuthProviderError(_));
    };
    matches!(
        error.kind(),
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
    )
}

#[cfg(unix)]
fn second_handle(stream: &tokio::net::TcpStream) -> std::io::Result<TcpStream> {
    use std::os::fd::AsFd;
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn second_handle(stream: &tokio::net::TcpStream) -> std::io::Result<TcpStream> {
    use std::os::windows::io::AsSocket;
    Ok(stream.as_socket().try_clone_to_owned()?.into())
}

/// Growing pauses, each shortened by chance, so that many clients don't come back in the same moment.
#[derive(Default)]
pub(crate) struct Pauses {
    times: u32,
}

impl Pauses {
    fn peek(&self) -> Duration {
        doubled(FIRST_PAUSE, LONGEST_PAUSE, self.times)
    }

    pub(crate) fn next(&mut self) -> Duration {
        let full = self.peek();
        self.times += 1;
        let chance = uuid::Uuid::new_v4().as_bytes()[0];
        full / 2 + full / 2 * u32::from(chance) / 255
    }
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
