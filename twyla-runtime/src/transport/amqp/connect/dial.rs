//! Connecting once, within a deadline that holds: name, TCP, TLS, and AMQP's handshake.

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
use crate::transport::amqp::io::socket::{Kit, Socket};
use crate::transport::amqp::io::stream::Carrier;

/// How long lapin may take to end once its socket is shut down.
const END: Duration = Duration::from_secs(5);

/// Why there is no connection.
pub(crate) struct Failure {
    pub(crate) why: String,
    /// Trying again makes no sense: the broker refuses this user, password or virtual host.
    pub(crate) refused: bool,
    /// There was no answer in time.
    pub(crate) late: bool,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, refused: false, late: false }
    }
}

/// Ends what goes over a socket unless it is let go: lapin has no deadline of its own, and a connect that is given up
/// leaves its thread waiting for the peer for ever. With its socket shut down it ends by itself.
struct Cut(Option<Handle>);

impl Cut {
    fn cut(&mut self) {
        if let Some(handle) = self.0.take() {
            // It fails if the peer was faster, which is as well.
            let _ = handle.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.cut();
    }
}

/// Connects once, to the node whose turn it is, within `deadline`. Over TLS the connection lives beside the caller's runtime.
pub(crate) async fn dial(
    config: &Arc<Config>,
    turn: usize,
    role: &'static str,
    deadline: Duration,
) -> Result<Connected, Failure> {
    #[cfg(feature = "tls")]
    if config.tls.is_some() {
        let config = config.clone();
        let dialing = crate::background::handle().spawn(async move { dial_here(&config, turn, role, deadline).await });
        return dialing.await.unwrap_or_else(|error| Err(error.to_string().into()));
    }
    dial_here(config, turn, role, deadline).await
}

async fn dial_here(config: &Config, turn: usize, role: &str, deadline: Duration) -> Result<Connected, Failure> {
    let until = Instant::now() + deadline;
    let late =
        || Failure { why: format!("no answer within {:.1} s", deadline.as_secs_f64()), refused: false, late: true };
    let (carrier, mut cut) = timeout_at(until, carrier(config, turn)).await.map_err(|_| late())??;

    let options = ConnectionProperties::default().with_connection_name(format!("{} {role}", config.app_id).into());
    // lapin connects for itself, and would again; this one socket is all that it gets.
    let (trunk, socket) = Socket::open(carrier);
    let socket = Mutex::new(Some(socket));
    let given = async move |_: AMQPUri, _: Runtime<Kit>| {
        let socket = socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        socket
            .map(AsyncTcpStream::Plain)
            .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into())
    };
    let mut connecting =
        std::pin::pin!(Connection::connector(uri(config, turn), Runtime::new(Kit::current()), given, options));
    tokio::select! {
        outcome = &mut connecting => {
            cut.0 = None;
            let lapin = outcome.map_err(|error| Failure { refused: refused(&error), late: false, why: error.to_string() })?;
            trunk.keep_alive(Duration::from_secs(lapin.configuration().heartbeat().into()));
            Ok(Connected { lapin, trunk })
        }
        () = sleep_until(until) => {
            cut.cut();
            match timeout(END, connecting).await {
                Ok(Ok(lapin)) => Ok(Connected { lapin, trunk }),
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

/// What the bytes go over, with a second handle to end it by.
async fn carrier(config: &Config, turn: usize) -> Result<(Carrier, Cut), String> {
    let (host, port) = config.node(turn);
    let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let cut = Cut(Some(second_handle(&stream).map_err(|error| error.to_string())?));
    #[cfg(feature = "tls")]
    if let Some(tls) = &config.tls {
        let stream = crate::transport::amqp::connect::tls::handshake(tls, host, stream).await?;
        return Ok((Carrier::Tls(Box::new(stream)), cut));
    }
    Ok((Carrier::Tcp(stream), cut))
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
