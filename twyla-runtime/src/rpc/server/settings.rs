//! Where and how a service's RPCs are served.

use std::fmt;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::bus::config::{ConfigError, variable};

/// Where and how a service's RPCs are served: what [`Service::serve`](crate::Service::serve) takes.
///
/// Every bound has a default, which is in the words of its setter.
#[derive(Clone)]
#[must_use = "it is given to a service with `.serve(..)`"]
pub struct Serve {
    /// None serves nowhere: the routes are mounted elsewhere.
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
    /// On `127.0.0.1:8080`.
    fn default() -> Self {
        Self::on("127.0.0.1:8080")
    }
}

impl Serve {
    /// On an address, as `0.0.0.0:8080`; port 0 is one that is free. What can't be one is an
    /// [`Error::Serve`](crate::Error::Serve) when the service starts.
    pub fn on(address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..Self::mounted() }
    }

    /// On no address: [`Running::router`](crate::Running::router) has the routes, for an app of your own.
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

    /// On the address in `<PREFIX>_HTTP_ADDRESS`, the prefix with or without its trailing underscore; `127.0.0.1:8080`
    /// where that isn't set.
    ///
    /// # Errors
    /// [`ConfigError`] where it is set and can't be an address.
    pub fn from_env(prefix: &str) -> Result<Self, ConfigError> {
        let variable = variable(prefix, "HTTP_ADDRESS");
        let Some(value) = std::env::var_os(&variable) else { return Ok(Self::default()) };
        match value.to_str() {
            Some(address) if is_address(address) => Ok(Self::on(address)),
            Some(address) => Err(ConfigError { variable, problem: format!("is {address:?}: {ADDRESS}") }),
            None => Err(ConfigError { variable, problem: format!("is not Unicode: {ADDRESS}") }),
        }
    }

    /// How many calls may be under way at once, in all; 512 unless set, 0 counts as 1. One more is turned away at once, with
    /// 503 and `Retry-After`. For one RPC: `#[rpc(.., concurrency = 10)]`.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// How many calls may be under way at once, as there are places for them.
    pub(crate) fn places(&self) -> u32 {
        u32::try_from(self.concurrency.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX)
    }

    /// How many connections may be open at once; 10,000 unless set, 0 counts as 1. Further ones wait to be accepted.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How long a call may take at most, whatever its caller says; 30 s unless set. Then the handler is stopped where it
    /// awaits, and the answer is 504. For one RPC: `#[rpc(.., deadline = "2s")]`.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many bytes a request may have; 2 MiB unless set. A larger one is 413, and not read to its end.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.max_request = bytes;
        self
    }

    /// How many bytes there may be at once, in all, of requests of which a part is still to come; 256 MiB unless set, and
    /// never less than [`max_request`](Self::max_request). A request that would need more is turned away, with 503 and
    /// `Retry-After`. One that comes in one piece, as nearly all do, doesn't count.
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.max_buffered = bytes;
        self
    }

    /// How long a connection may take to send a request's headers, and again its body; 30 s unless set. Then it is closed,
    /// after a 408 if the headers were there. A connection that idles between two calls may do so for as long.
    pub fn read_deadline(mut self, deadline: Duration) -> Self {
        self.read_deadline = deadline;
        self
    }

    /// How long a caller may leave its connection unread while there is an answer for it; 30 s unless set. Then the
    /// connection is closed. In HTTP/2 a caller may read and give an answer no window all the same: that one waits for as
    /// long as the connection is there.
    pub fn write_deadline(mut self, deadline: Duration) -> Self {
        self.write_deadline = deadline;
        self
    }
}

/// What an address to serve on should be.
pub(crate) const ADDRESS: &str = "it should be a host and a port, for example 0.0.0.0:8080";

/// Whether it can be one.
pub(crate) fn is_address(text: &str) -> bool {
    let is_host = |host: &str| !host.is_empty() && !host.contains('/');
    text.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok())
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("address", &self.address)
            .field("concurrency", &self.concurrency)
            .field("connections", &self.connections)
            .field("deadline", &self.deadline)
            .field("max_request", &self.max_request)
            .field("max_buffered", &self.max_buffered)
            .field("read_deadline", &self.read_deadline)
            .field("write_deadline", &self.write_deadline)
            .finish()
    }
}
