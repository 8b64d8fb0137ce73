//! The settings of the RPC server.

use std::time::Duration;

use tokio::sync::Semaphore;

use crate::bus::config::{ConfigError, variable};

/// The settings of the RPC server, for [`Service::serve`](crate::Service::serve).
///
/// Every limit has a default, which its setter documents.
#[derive(Clone, Debug)]
#[must_use = "it is given to a service with `.serve(..)`"]
pub struct Serve {
    /// `None` if the routes are mounted in another app.
    pub(crate) address: Option<String>,
    pub(crate) concurrency: usize,
    pub(crate) connections: usize,
    pub(crate) deadline: Duration,
    pub(crate) max_request: usize,
    pub(crate) max_buffered: usize,
    pub(crate) read_deadline: Duration,
    pub(crate) write_deadline: Duration,
}

impl Default for Serve {
    /// Serves on `127.0.0.1:8080`.
    fn default() -> Self {
        Self::on("127.0.0.1:8080")
    }
}

impl Serve {
    /// Serves on an address, for example `0.0.0.0:8080`; port 0 selects a free one. An invalid address is an
    /// [`Error::Serve`](crate::Error::Serve) when the service starts.
    pub fn on(address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..Self::mounted() }
    }

    /// Serves on no address: [`Running::router`](crate::Running::router) returns the routes for your own app.
    pub fn mounted() -> Self {
        Self {
            address: None,
            concurrency: 512,
            connections: 10_000,
            deadline: Duration::from_secs(30),
            max_request: 2 << 20,
            max_buffered: 256 << 20,
            read_deadline: Duration::from_secs(30),
            write_deadline: Duration::from_secs(30),
        }
    }

    /// Serves on the address in `<PREFIX>_HTTP_ADDRESS`; the prefix may end with an underscore. `127.0.0.1:8080` if the
    /// variable isn't set.
    ///
    /// # Errors
    /// [`ConfigError`] if the variable isn't an address.
    pub fn from_env(prefix: &str) -> Result<Self, ConfigError> {
        let variable = variable(prefix, "HTTP_ADDRESS");
        let Some(value) = std::env::var_os(&variable) else { return Ok(Self::default()) };
        match value.to_str() {
            Some(address) if is_address(address) => Ok(Self::on(address)),
            Some(address) => Err(ConfigError { variable, problem: format!("is {address:?}: {ADDRESS}") }),
            None => Err(ConfigError { variable, problem: format!("is not valid Unicode: {ADDRESS}") }),
        }
    }

    /// Sets the maximum number of concurrent calls in total; 512 by default, 0 counts as 1. Further calls are rejected at
    /// once with 503 and `Retry-After`. For a single RPC: `#[rpc(.., concurrency = 10)]`.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Returns the maximum number of concurrent calls as semaphore permits.
    pub(crate) fn permits(&self) -> u32 {
        u32::try_from(self.concurrency.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX)
    }

    /// Sets the maximum number of open connections; 10,000 by default, 0 counts as 1. Further connections wait to be accepted.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Sets the maximum duration of a call, even if its caller allows more; 30 s by default. Then the handler is cancelled at
    /// its await point, and the answer is 504. For a single RPC: `#[rpc(.., deadline = "2s")]`.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the maximum size of a request in bytes; 2 MiB by default. A larger request is answered with 413 and not read to
    /// its end.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.max_request = bytes;
        self
    }

    /// Sets the maximum size in bytes of all requests that are still arriving; 256 MiB by default, and at least
    /// [`max_request`](Self::max_request). A request that would exceed it is rejected with 503 and `Retry-After`. A request
    /// that arrives in one piece, as most do, doesn't count.
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.max_buffered = bytes;
        self
    }

    /// Sets the time in which a client must send a request's headers, and then its body; 30 s by default. Then the
    /// connection is closed, after a 408 if the headers were complete. It also limits how long a connection may be idle
    /// between calls.
    pub fn read_deadline(mut self, deadline: Duration) -> Self {
        self.read_deadline = deadline;
        self
    }

    /// Sets how long a client may leave an answer unread; 30 s by default. Then the connection is closed. An HTTP/2 client
    /// that reads but doesn't open the flow-control window isn't detected: its answer waits until the connection ends.
    pub fn write_deadline(mut self, deadline: Duration) -> Self {
        self.write_deadline = deadline;
        self
    }
}

/// The expected form of an address to serve on.
pub(crate) const ADDRESS: &str = "it should be a host and a port, for example 0.0.0.0:8080";

/// Returns whether a text can be an address.
pub(crate) fn is_address(text: &str) -> bool {
    let is_host = |host: &str| !host.is_empty() && !host.contains('/');
    text.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok())
}
