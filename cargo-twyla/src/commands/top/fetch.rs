//! Reads the metrics of a service: one GET over plain HTTP.

use std::error::Error as _;
use std::io::Read;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use reqwest::StatusCode;
use reqwest::blocking::Client;
use reqwest::redirect::Policy;

/// How long connecting may take, and the whole request.
const DEADLINE: Duration = Duration::from_secs(10);
/// The largest response in bytes: enough for 10,000 listeners.
const MAX_RESPONSE: u64 = 64 << 20;

/// Where a service serves its metrics.
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
    #[error("{0} doesn't speak HTTP")]
    NotHttp(String),
    #[error("{0} answers with more than {max} MiB of metrics", max = MAX_RESPONSE >> 20)]
    TooLarge(String),
}

/// Returns the metrics of a service, in Prometheus' text format.
pub(super) fn get(endpoint: &Endpoint) -> Result<String, Error> {
    let Endpoint { address, path } = endpoint;
    let failed = |error: reqwest::Error| {
        let unreachable = error.is_connect() || error.is_timeout() || error.is_builder() || is_io(&error);
        if unreachable {
            Error::Unreachable { address: address.clone(), why: root_cause(&error) }
        } else {
            Error::NotHttp(address.clone())
        }
    };
    // the port of an operator is near: no proxy of the environment leads to it
    let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(DEADLINE).build().map_err(failed)?;
    let response = client.get(format!("http://{address}{path}")).send().map_err(failed)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(Error::NotFound(address.clone())),
        status => return Err(Error::Status { address: address.clone(), status }),
    }
    let mut body = Vec::new();
    let read = response.take(MAX_RESPONSE + 1).read_to_end(&mut body);
    read.map_err(|error| Error::Unreachable { address: address.clone(), why: error.to_string() })?;
    if body.len() as u64 > MAX_RESPONSE {
        return Err(Error::TooLarge(address.clone()));
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Returns whether the connection failed, such as one that was reset.
fn is_io(error: &reqwest::Error) -> bool {
    std::iter::successors(error.source(), |it| (*it).source()).any(|it| it.is::<std::io::Error>())
}

/// Returns the text of the innermost error, such as `Connection refused (os error 111)`.
fn root_cause(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
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
