//! A collector of traces and metrics that accepts connections and never reads.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

/// Listens as long as the process lives; returns its address for an exporter.
pub(super) fn start() -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        // Each connection stays open, so its sender blocks once the buffers are full.
        let _held: Vec<_> = listener.incoming().map_while(Result::ok).collect();
    });
    Ok(endpoint)
}
