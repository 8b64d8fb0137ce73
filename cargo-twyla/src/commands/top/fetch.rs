//! Reads the metrics of a service: one GET over plain HTTP.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;

use crate::support::paint;

/// How long each step may take: connecting, sending, a part of the response.
const DEADLINE: Duration = Duration::from_secs(5);
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
    Status { address: String, status: String },
    #[error("{0} doesn't speak HTTP")]
    NotHttp(String),
    #[error("{0} answers with more than {max} MiB of metrics", max = MAX_RESPONSE >> 20)]
    TooLarge(String),
}

/// Returns the metrics of a service, in Prometheus' text format.
pub(super) fn get(endpoint: &Endpoint) -> Result<String, Error> {
    let address = &endpoint.address;
    let unreachable = |error: io::Error| Error::Unreachable { address: address.clone(), why: error.to_string() };
    let answer = request(endpoint).map_err(unreachable)?;
    if answer.len() as u64 > MAX_RESPONSE {
        return Err(Error::TooLarge(address.clone()));
    }
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| Error::NotHttp(address.clone()))?;
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.lines().next()?.split_once(' '));
    match status {
        Some((_, status)) if status.starts_with("200") => Ok(body.to_owned()),
        Some((_, status)) if status.starts_with("404") => Err(Error::NotFound(address.clone())),
        Some((_, status)) => Err(Error::Status { address: address.clone(), status: paint::tame(status) }),
        None => Err(Error::NotHttp(address.clone())),
    }
}

/// Sends the request, and reads the response until the connection ends.
fn request(Endpoint { address, path }: &Endpoint) -> io::Result<Vec<u8>> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for target in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&target, DEADLINE) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(DEADLINE))?;
                stream.set_write_timeout(Some(DEADLINE))?;
                // A response of HTTP/1.0 ends with the connection (RFC 1945, section 7.2.2), and has no chunks.
                let head = ["GET ", path, " HTTP/1.0\r\nhost: ", address, "\r\naccept: text/plain\r\n\r\n"];
                stream.write_all(head.concat().as_bytes())?;
                let mut answer = Vec::new();
                stream.take(MAX_RESPONSE + 1).read_to_end(&mut answer)?;
                return Ok(answer);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
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
