//! Asks a service for its figures: one GET over plain HTTP, as operators' ports speak it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

/// How long the service may take for each step.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than any service tells: 10,000 listeners.
const MOST: u64 = 64 << 20;

/// Where a service tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `host:port`
    pub(super) address: String,
    path: String,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => return Err(format!("{scheme} is not spoken here: an operator's port is plain http")),
            None => text,
        };
        let (address, path) = rest.split_once('/').map_or((rest, ""), |(address, path)| (address, path));
        let path = if path.is_empty() { "/metrics".to_owned() } else { format!("/{path}") };
        let odd = |text: &str| text.bytes().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control());
        match address.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() && !odd(text) => {
                Ok(Self { address: address.to_owned(), path })
            }
            _ => Err("an address is host:port".to_owned()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Error {
    place: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Unreachable(io::Error),
    Status(String),
    NoHttp,
    Huge,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match &self.what {
            What::Unreachable(error) => write!(
                f,
                "{place} doesn't answer ({error}); a service tells its figures with `Service::operations(\"{place}\")`"
            ),
            What::Status(status) if status.starts_with("404") => write!(
                f,
                "{place} has no figures (404): is the service built with the feature `telemetry`, and `telemetry::init` called?"
            ),
            What::Status(status) => write!(f, "{place} answers with {status}"),
            What::NoHttp => write!(f, "{place} doesn't speak HTTP"),
            What::Huge => write!(f, "{place} tells more than {} MiB, as no service does", MOST >> 20),
        }
    }
}

/// The figures' text.
pub(super) fn get(place: &Place) -> Result<String, Error> {
    let told = |what| Error { place: place.address.clone(), what };
    let answer = ask(place).map_err(|error| told(What::Unreachable(error)))?;
    if answer.len() as u64 > MOST {
        return Err(told(What::Huge));
    }
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| told(What::NoHttp))?;
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.lines().next()?.split_once(' '));
    match status {
        Some((_, status)) if status.starts_with("200") => Ok(body.to_owned()),
        Some((_, status)) => Err(told(What::Status(crate::support::paint::tame(status)))),
        None => Err(told(What::NoHttp)),
    }
}

fn ask(place: &Place) -> io::Result<Vec<u8>> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in place.address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                // in HTTP/1.0 the answer ends with the connection (RFC 1945, section 7.2.2), and has no chunks
                let head =
                    ["GET ", &place.path, " HTTP/1.0\r\nhost: ", &place.address, "\r\naccept: text/plain\r\n\r\n"];
                stream.write_all(head.concat().as_bytes())?;
                let mut answer = Vec::new();
                stream.take(MOST + 1).read_to_end(&mut answer)?;
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
    fn a_place_is_an_address_with_a_port() {
        let place = |text: &str| text.parse::<Place>().map(|it| (it.address, it.path));
        let of = |address: &str, path: &str| Ok((address.to_owned(), path.to_owned()));
        assert_eq!(place("127.0.0.1:9090"), of("127.0.0.1:9090", "/metrics"));
        assert_eq!(place("http://[::1]:9090/"), of("[::1]:9090", "/metrics"));
        assert_eq!(place("shop:80/ops/metrics"), of("shop:80", "/ops/metrics"));
        for bad in ["9090", "shop", ":9090", "shop:99999", "https://shop:1", "shop:1/a b"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
