//! A listening socket: bounded connections, graceful shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout, timeout_at};
use tokio_io_timeout::TimeoutWriter;

use super::endpoint;
use super::settings::{ADDRESS, Serve, is_address};
use crate::bus::config::FOREVER;
use crate::bus::error::Error;
use crate::service::phase::{Phase, stopping};
use crate::service::running::Running;
use crate::service::shutdown::ShutdownDeadlines;

/// A bound socket that is not yet served.
pub(crate) struct HttpListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl HttpListener {
    /// Binds an address.
    pub(crate) async fn bind(address: &str) -> Result<Self, Error> {
        let failed = |why: &dyn ToString| Error::Serve { address: address.to_owned(), why: why.to_string() };
        if !is_address(address) {
            return Err(failed(&ADDRESS));
        }
        let listener = TcpListener::bind(address).await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the service stops, then waits for the active calls, at most for `drain`.
    pub(crate) async fn serve(self, app: Router, settings: Serve, mut phase: watch::Receiver<Phase>, drain: Duration) {
        let Self { listener, address } = self;
        let mut builder = auto::Builder::new(TokioExecutor::new());
        let timeouts =
            Timeouts { first: settings.read_deadline.min(FOREVER), written: settings.write_deadline.min(FOREVER) };
        builder.http1().timer(TokioTimer::new()).header_read_timeout(timeouts.first);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(settings.permits().saturating_add(64))
            .keep_alive_interval(timeouts.first);
        let permits = Arc::new(Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS)));
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                // the semaphore is never closed
                let permit = permits.clone().acquire_owned().await.ok();
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                biased;
                () = stopping(&mut phase) => break,
                next = next => next,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, _)) => {
                    let serving = connection(builder.clone(), stream, app.clone(), phase.clone(), timeouts);
                    connections.spawn(async move {
                        serving.await;
                        drop(permit);
                    });
                }
                // a connection that is already gone is ignored; any other error means too many open files, which needs time
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%address, %error, "can't accept connections");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(listener);
        let mut ending = ShutdownDeadlines::within(drain);
        tokio::select! {
            () = async { while connections.join_next().await.is_some() {} } => {}
            () = sleep_until(ending.handlers) => {}
            Ok(_) = phase.wait_for(|phase| *phase == Phase::Ending) => ending = ending.hurry(),
        }
        if !connections.is_empty() {
            tracing::warn!(%address, connections = connections.len(), "running calls were stopped at the deadline");
            // a handler that blocks its thread can't be stopped
            let _ = timeout_at(ending.steps, connections.shutdown()).await;
        }
        tracing::info!(%address, "stopped serving");
    }
}

fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}

/// The timeouts of a connection.
#[derive(Clone, Copy)]
struct Timeouts {
    /// The maximum time until the first bytes of a request arrive, and then until its head is complete.
    first: Duration,
    /// The maximum time until the client reads the next part of an answer.
    written: Duration,
}

/// Serves one connection. Once the service stops, answers the calls in progress and closes the connection.
async fn connection(
    builder: auto::Builder<TokioExecutor>,
    stream: TcpStream,
    app: Router,
    mut phase: watch::Receiver<Phase>,
    timeouts: Timeouts,
) {
    // answers are sent at once
    let _ = stream.set_nodelay(true);
    let begun = tokio::select! {
        biased;
        begun = timeout(timeouts.first, begun(&stream)) => begun.unwrap_or(false),
        () = stopping(&mut phase) => false,
    };
    if !begun {
        return;
    }
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(timeouts.written));
    let stream = TokioIo::new(Box::pin(stream));
    let serving = builder.serve_connection(stream, TowerToHyperService::new(app));
    let mut serving = std::pin::pin!(serving);
    let outcome = tokio::select! {
        biased;
        outcome = serving.as_mut() => outcome,
        () = stopping(&mut phase) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error, "a connection has ended");
    }
}

/// Waits until the received bytes distinguish HTTP/1.1 from HTTP/2: hyper itself would wait for them without a limit. Returns
/// false if the connection ends before.
async fn begun(stream: &TcpStream) -> bool {
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut first = [0; HTTP2.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(count) if count < HTTP2.len() && HTTP2.starts_with(&first[..count]) => {
                // `peek` doesn't wait for further bytes, so it is repeated
                sleep(Duration::from_millis(10)).await;
            }
            Ok(_) => return true,
        }
    }
}

impl Running {
    /// Returns the address at which the service's RPCs are served; `None` if the service doesn't listen on an address.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Returns the routes of the service's RPCs, `POST /rpc/<method>`, for your own app with its own layers.
    ///
    /// They answer while the service runs. With [`Serve::mounted`] only your app serves them.
    pub fn router(&self) -> Router {
        self.server.as_ref().map_or_else(Router::new, endpoint::router)
    }

    /// Returns the address of the service's health endpoint, if it has one
    /// ([`Service::operations`](crate::Service::operations)).
    #[must_use]
    pub fn operations(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(|(address, _)| *address)
    }

    /// Serves the health endpoint until `self` is dropped.
    pub(crate) fn operate(&mut self, listener: HttpListener) {
        let (address, routes) = (listener.address(), self.health().operations());
        tracing::info!(%address, "serving the health endpoint");
        let mut task = JoinSet::new();
        task.spawn(async move {
            // the health endpoint stops after its service
            let (_open, phase) = watch::channel(Phase::Running);
            listener.serve(routes, Serve::mounted(), phase, Duration::ZERO).await;
        });
        self.operations = Some((address, task));
    }
}
