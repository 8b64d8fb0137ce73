//! The configuration of the RPC client over HTTP: addresses, deadlines, retries.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::endpoints::{self, EndpointConfig, Resolve};
use super::env;
use super::retry::RetryPolicy;
use crate::bus::config::{ConfigError, FOREVER, Tls};

/// The configuration of an RPC client over HTTP, for [`Rpc::new`](crate::Rpc::new).
///
/// ```
/// use twyla_runtime::{Rpc, rpc::Config};
///
/// let config = Config::new().address("navitaire-api", ["http://10.0.0.1:8080", "http://10.0.0.2:8080"]);
/// let rpc = Rpc::new(config)?;
/// # Ok::<(), twyla_runtime::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Config {
    pub(crate) endpoints: EndpointConfig,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) connect_deadline: Duration,
    pub(crate) idle: Duration,
    pub(crate) max_answer: usize,
    pub(crate) http2: bool,
    pub(crate) tls: Option<Tls>,
    /// The first invalid address.
    pub(crate) wrong: Option<ConfigError>,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// Creates a configuration without addresses.
    #[must_use]
    pub fn new() -> Self {
        Self {
            endpoints: EndpointConfig::default(),
            retry_policy: RetryPolicy::default(),
            connect_deadline: Duration::from_secs(2),
            idle: Duration::from_secs(20),
            max_answer: 32 << 20,
            http2: false,
            tls: None,
            wrong: None,
        }
    }

    /// Reads the addresses from the environment: `<PREFIX>_NAVITAIRE_API_URL` has the URL of the service `navitaire-api`, or
    /// several URLs, separated by commas; the prefix may end with an underscore. Returns `None` if no such variable has an
    /// `http` or `https` URL.
    ///
    /// # Errors
    /// [`ConfigError`] names the first variable whose value starts like an `http` or `https` URL but isn't valid.
    pub fn from_env(prefix: &str) -> Result<Option<Self>, ConfigError> {
        Self::from_variables(prefix, std::env::vars_os())
    }

    /// Reads the addresses from the given variables, as [`from_env`](Self::from_env) does.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_variables(
        prefix: &str,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Option<Self>, ConfigError> {
        let (found, unset) = env::variables(prefix, variables);
        if found.is_empty() { Ok(None) } else { Self::addressed(found, unset).map(Some) }
    }

    /// Creates a configuration with the addresses in the environment variables `found`.
    pub(crate) fn addressed(found: Vec<env::Variable>, unset: env::UnsetVariables) -> Result<Self, ConfigError> {
        let mut config = Self::new();
        for env::Variable { name, service, value } in found {
            let urls: Result<Vec<_>, String> = value.split(',').map(endpoints::base).collect();
            let urls = urls.map_err(|problem| ConfigError { variable: name, problem })?;
            config.endpoints.fixed.insert(service, urls);
        }
        config.endpoints.unset = Some(unset);
        Ok(config)
    }

    /// Sets the base URLs of a service, to which calls append `/rpc/<method>`. Calls use the URLs in turn, and try the next
    /// one if a URL is unreachable.
    #[must_use]
    pub fn address<T: AsRef<str>>(mut self, service: &str, urls: impl IntoIterator<Item = T>) -> Self {
        let parsed: Result<Vec<_>, String> = urls.into_iter().map(|url| endpoints::base(url.as_ref())).collect();
        let wrong = |problem: String| ConfigError { variable: format!("an address of `{service}`"), problem };
        match parsed {
            Ok(urls) if urls.is_empty() => self.wrong = Some(wrong("is missing".to_owned())),
            Ok(urls) => drop(self.endpoints.fixed.insert(env::key(service), urls)),
            Err(problem) => self.wrong = Some(wrong(problem)),
        }
        self
    }

    /// Sets the resolver for services without an address in this configuration.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.endpoints.resolver = Some(Arc::new(resolver));
        self
    }

    /// Sets the deadline of a call, for all attempts together; 10 s by default. [`within`](crate::rpc::Calling::within)
    /// overrides it for a single call.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.retry_policy.deadline = deadline;
        self
    }

    /// Sets the deadline of one attempt, so that a service that hangs leaves time for another attempt; by default only the
    /// call's deadline applies.
    #[must_use]
    pub fn attempt_deadline(mut self, deadline: Duration) -> Self {
        self.retry_policy.attempt = Some(deadline);
        self
    }

    /// Sets how often a call is sent at most, to whatever address; 3 times by default, 0 counts as 1. Addresses that can't be
    /// reached don't count, but if no address can be reached, that counts as one attempt. Only safe calls are retried. After the
    /// first ten retries to a service, ten calls allow one further retry.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.retry_policy.attempts = attempts.max(1);
        self
    }

    /// Sets the pauses after all addresses were tried: each is random, up to a limit that is `first` at the beginning and
    /// doubles each time up to `last`; 50 ms and 1 s by default. The client waits at least for the service's `Retry-After`.
    #[must_use]
    pub fn pauses(mut self, first: Duration, last: Duration) -> Self {
        (self.retry_policy.first_pause, self.retry_policy.max_pause) = (first, last.max(first));
        self
    }

    /// Sets the deadline to connect; 2 s by default.
    #[must_use]
    pub fn connect_deadline(mut self, deadline: Duration) -> Self {
        self.connect_deadline = deadline;
        self
    }

    /// Sets how long an idle connection is kept; 20 s by default. Keep it below the services' own limit.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle.min(FOREVER);
        self
    }

    /// Sets the maximum size of an answer in bytes; 32 MiB by default. No more than that is read.
    #[must_use]
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Sets whether `http` addresses are called with HTTP/2 (prior knowledge); false by default. With `https` both sides
    /// negotiate the version.
    #[must_use]
    pub fn http2(mut self, http2: bool) -> Self {
        self.http2 = http2;
        self
    }

    /// Sets the trusted certificates for `https` addresses, and the client's certificate; by default the system's trusted
    /// certificates, and no client certificate. The files are read once.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("addresses", &self.endpoints)
            .field("retry_policy", &self.retry_policy)
            .field("connect_deadline", &self.connect_deadline)
            .field("idle", &self.idle)
            .field("max_answer", &self.max_answer)
            .field("http2", &self.http2)
            .field("tls", &self.tls)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::client::call::Rpc;

    fn read(prefix: &str, set: &[(&str, &str)]) -> Result<Option<Config>, String> {
        let set = set.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Config::from_variables(prefix, set).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_in_the_environment() {
        let set = [
            ("P_NAVITAIRE_API_URL", "http://a:1, https://b/x"),
            ("P_DATABASE_URL", "postgres://u@h"),
            ("OTHER_URL", "http://c"),
            ("P_URL", "http://d"),
        ];
        for prefix in ["P", "P_"] {
            let endpoints = read(prefix, &set).unwrap().unwrap().endpoints;
            let urls: Vec<_> = endpoints.fixed["NAVITAIRE_API"].iter().map(ToString::to_string).collect();
            assert_eq!(urls, ["http://a:1/", "https://b/x/"]);
            assert_eq!(endpoints.fixed.len(), 1);
        }
        assert!(read("Q", &set).unwrap().is_none());
        let wrong = read("P", &[("P_X_URL", "http://a:1,http:")]).unwrap_err();
        assert!(wrong.starts_with("P_X_URL is \"http:\""), "{wrong}");
    }

    #[test]
    fn the_last_pause_is_no_shorter_than_the_first() {
        let pauses = |first, last| {
            let RetryPolicy { first_pause, max_pause, .. } =
                Config::new().pauses(Duration::from_secs(first), Duration::from_secs(last)).retry_policy;
            (first_pause.as_secs(), max_pause.as_secs())
        };
        assert_eq!((pauses(1, 5), pauses(2, 1)), ((1, 5), (2, 2)));
    }

    #[test]
    fn reports_an_invalid_address() {
        let wrong = Rpc::new(Config::new().address("a", ["a:1"])).unwrap_err().to_string();
        assert!(wrong.starts_with("an address of `a` is \"a:1\""), "{wrong}");
        assert!(Rpc::new(Config::new().address("a", [""; 0])).is_err());
    }
}
