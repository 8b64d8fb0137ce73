//! One connection attempt within a deadline: name resolution, TCP, TLS and the AMQP handshake.

use std::net::{Shutdown, TcpStream as Handle};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_rs::Runtime;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, ErrorKind};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::connected::Connected;
use crate::bus::config::Config;
use crate::transport::amqp::io::socket::{LapinRuntime, Socket};
use crate::transport::amqp::io::stream::RawStream;

/// How long lapin may take to finish once its socket is shut down.
const END: Duration = Duration::from_secs(5);

/// A failed connection attempt.
pub(crate) struct DialError {
    pub(crate) why: String,
    /// The broker refuses the user, the password or the virtual host: a retry fails too.
    pub(crate) refused: bool,
    /// The deadline passed.
    pub(crate) late: bool,
}

impl From<String> for DialError {
    fn from(why: String) -> Self {
        Self { why, refused: false, late: false }
    }
}

/// Shuts a socket down unless it is disarmed. lapin has no connect deadline: its thread would wait for the peer for ever after an
/// abandoned attempt, and ends once its socket is shut down.
struct ShutdownGuard(Option<Handle>);

impl ShutdownGuard {
    fn shutdown(&mut self) {
        if let Some(handle) = self.0.take() {
            // fails if the peer has already closed the connection
            let _ = handle.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for ShutdownGuard {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Connects to the node for attempt `turn`, within `deadline`. A TLS connection runs in the background runtime.
pub(crate) async fn dial(
    config: &Arc<Config>,
    turn: usize,
    role: &'static str,
    deadline: Duration,
) -> Result<Connected, DialError> {
    #[cfg(feature = "tls")]
    if config.tls.is_some() {
        let config = config.clone();
        let dialing = crate::background::handle().spawn(async move { dial_here(&config, turn, role, deadline).await });
        return dialing.await.unwrap_or_else(|error| Err(error.to_string().into()));
    }
    dial_here(config, turn, role, deadline).await
}

async fn dial_here(config: &Config, turn: usize, role: &str, deadline: Duration) -> Result<Connected, DialError> {
    let until = Instant::now() + deadline;
    let late =
        || DialError { why: format!("no answer within {:.1} s", deadline.as_secs_f64()), refused: false, late: true };
    let (raw_stream, mut guard) = timeout_at(until, raw_stream(config, turn)).await.map_err(|_| late())??;

    let options = ConnectionProperties::default().with_connection_name(format!("{} {role}", config.app_id).into());
    // lapin could reconnect by itself: the connector returns the socket once, and then an error
    let (stream, socket) = Socket::open(raw_stream);
    let socket = Mutex::new(Some(socket));
    let given = async move |_: AMQPUri, _: Runtime<LapinRuntime>| {
        let socket = socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        socket
            .map(AsyncTcpStream::Plain)
            .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into())
    };
    let mut connecting =
        std::pin::pin!(Connection::connector(uri(config, turn), Runtime::new(LapinRuntime::current()), given, options));
    tokio::select! {
        outcome = &mut connecting => {
            guard.0 = None;
            let lapin = outcome.map_err(|error| DialError { refused: refused(&error), late: false, why: error.to_string() })?;
            stream.keep_alive(Duration::from_secs(lapin.configuration().heartbeat().into()));
            Ok(Connected { lapin, stream })
        }
        () = sleep_until(until) => {
            guard.shutdown();
            match timeout(END, connecting).await {
                Ok(Ok(lapin)) => Ok(Connected { lapin, stream }),
                Ok(Err(_)) | Err(_) => Err(late()),
            }
        }
    }
}

fn uri(config: &Config, turn: usize) -> AMQPUri {
    let (host, port) = config.node(turn);
    AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: config.user.clone(), password: config.password.clone() },
            host: host.to_owned(),
            port,
        },
        vhost: config.vhost.clone(),
        query: AMQPQueryString {
            heartbeat: Some(u16::try_from(config.heartbeat.as_secs()).unwrap_or(u16::MAX)),
            ..AMQPQueryString::default()
        },
    }
}

/// Connects the socket; returns it with a guard that shuts it down.
async fn raw_stream(config: &Config, turn: usize) -> Result<(RawStream, ShutdownGuard), String> {
    let (host, port) = config.node(turn);
    let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let guard = ShutdownGuard(Some(second_handle(&stream).map_err(|error| error.to_string())?));
    #[cfg(feature = "tls")]
    if let Some(tls) = &config.tls {
        let stream = crate::transport::amqp::connect::tls::handshake(tls, host, stream).await?;
        return Ok((RawStream::Tls(Box::new(stream)), guard));
    }
    Ok((RawStream::Tcp(stream), guard))
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
fn second_handle(stream: &TcpStream) -> std::io::Result<Handle> {
    use std::os::fd::AsFd;
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn second_handle(stream: &TcpStream) -> std::io::Result<Handle> {
    use std::os::windows::io::AsSocket;
    Ok(stream.as_socket().try_clone_to_owned()?.into())
}
