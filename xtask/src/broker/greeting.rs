//! A node's greeting: the method Connection.Start with which an AMQP 0-9-1 server answers (section 4.2.2), and the versions
//! in it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Returns the versions of the node on a port: `4.0.5 (Erlang/OTP 27.3.4.1)`. `None` if the node doesn't greet yet.
pub(super) fn version(port: u16) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").ok()?;
    let mut head = [0; 7];
    stream.read_exact(&mut head).ok()?;
    let [1, _, _, size @ ..] = head else { return None }; // a method frame
    let size = u32::from_be_bytes(size);
    let mut frame = Vec::new();
    (&stream).take(u64::from(size)).read_to_end(&mut frame).ok()?;
    let version = property(&frame, "version").unwrap_or_else(|| "of an unknown version".into());
    Some(property(&frame, "platform").map_or(version.clone(), |platform| format!("{version} ({platform})")))
}

/// Finds a long string among the server's properties: its name as a short string, `S`, and its text behind a length.
fn property(frame: &[u8], name: &str) -> Option<String> {
    let start = [&[u8::try_from(name.len()).ok()?], name.as_bytes(), b"S"].concat();
    let at = frame.windows(start.len()).position(|part| part == start)? + start.len();
    let (size, rest) = frame[at..].split_first_chunk::<4>()?;
    let text = rest.get(..usize::try_from(u32::from_be_bytes(*size)).ok()?)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_property_and_survives_a_frame_that_is_cut_off() {
        let frame = b"\x0a\x00\x0a\x00\x09\x00\x00\x00\x28\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x054.0.5";
        assert_eq!(property(frame, "version").as_deref(), Some("4.0.5"));
        assert_eq!(property(frame, "product").as_deref(), Some("RabbitMQ"));
        assert_eq!(property(frame, "platform"), None);
        for end in 0..frame.len() {
            assert_eq!(property(&frame[..end], "version"), None);
        }
    }
}
