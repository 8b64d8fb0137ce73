//! Reads the metrics of a service: one GET over plain HTTP.

use std::str::FromStr;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{StatusCode, Uri};

/// The maximum time of each step: connecting, sending, a part of the response.
const DEADLINE: Duration = Duration::from_secs(5);
/// The largest response in bytes: enough for 10,000 listeners.
const MAX_RESPONSE: u64 = 64 << 20;

/// The address of a service's metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// `host:port`
    pub(super) address: String,
    path: String,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected host:port, or http://host:port/path".to_owned();
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = url.parse().map_err(|_| expected())?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != "http" {
            return Err(format!("unsupported scheme `{scheme}`: use `http`"));
        }
        let authority = uri.authority().filter(|it| !it.host().is_empty() && it.port_u16().is_some());
        let address = authority.ok_or_else(expected)?.to_string();
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        Ok(Self { address, path: if path == "/" { "/metrics" } else { path }.to_owned() })
    }
}

/// A service whose metrics can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{address} doesn't answer ({why}): a service serves its metrics with `Service::operations(\"{address}\")`")]
    Unreachable { address: String, why: String },
    #[error(
        "{0} has no metrics (404): build the service with the feature `telemetry`, and call `telemetry::init` in it"
    )]
    NotFound(String),
    #[error("{address} answers with {status}")]
    Status { address: String, status: StatusCode },
    #[error("{0} doesn't answer with HTTP")]
    NotHttp(String),
    #[error("{0} answers with more than {max} MiB of metrics", max = MAX_RESPONSE >> 20)]
    TooLarge(String),
}

/// Returns the metrics of a service, in Prometheus' text format.
pub(super) fn get(Endpoint { address, path }: &Endpoint) -> Result<String, Error> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // services are read directly, whatever proxy the environment sets
        .proxy(None)
        .timeout_connect(Some(DEADLINE))
        .timeout_per_read(Some(DEADLINE))
        .timeout_per_write(Some(DEADLINE));
    let read = || -> Result<_, ureq::Error> {
        let agent = Agent::from(config.build());
        let mut response = agent.get(format!("http://{address}{path}")).header("accept", "text/plain").call()?;
        let text = response.body_mut().with_config().limit(MAX_RESPONSE).lossy_utf8(true).read_to_string()?;
        Ok((response.status(), text))
    };
    let (status, text) = read().map_err(|error| match error {
        ureq::Error::BodyExceedsLimit(_) => Error::TooLarge(address.clone()),
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => Error::NotHttp(address.clone()),
        ureq::Error::Io(error) => Error::Unreachable { address: address.clone(), why: error.to_string() },
        error => Error::Unreachable { address: address.clone(), why: error.to_string() },
    })?;
    match status {
        StatusCode::OK => Ok(text),
        StatusCode::NOT_FOUND => Err(Error::NotFound(address.clone())),
        status => Err(Error::Status { address: address.clone(), status }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_with_a_port() {
        let endpoint = |text: &str| text.parse::<Endpoint>().map(|it| (it.address, it.path));
        let of = |address: &str, path: &str| Ok((address.to_owned(), path.to_owned()));
        assert_eq!(endpoint("127.0.0.1:9090"), of("127.0.0.1:9090", "/metrics"));
        assert_eq!(endpoint("http://[::1]:9090/"), of("[::1]:9090", "/metrics"));
        assert_eq!(endpoint("shop:80/ops/metrics"), of("shop:80", "/ops/metrics"));
        assert_eq!(endpoint("shop:80/metrics?part=bus"), of("shop:80", "/metrics?part=bus"));
        for bad in ["9090", "shop", ":9090", "shop:99999", "https://shop:1", "shop:1/a b"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
