//! A small TCP proxy between the bus and its brokers: forwards, stalls, or drops one side without notice.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The state of the proxy's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Connections are forwarded.
    Open,
    /// Open connections stall, and new ones are accepted but never answered.
    Silent,
}

/// A proxy on a port of its own, for as long as the process lives.
pub(super) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// The ports of the brokers, tried in turn.
    targets: Vec<u16>,
    mode: Mutex<Mode>,
    /// Increased to drop the brokers' sides of all connections and keep the clients' sides.
    halved: AtomicU64,
}

impl Shared {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    pub(super) fn start(targets: Vec<u16>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared { targets, mode: Mutex::new(Mode::Open), halved: AtomicU64::new(0) });
        let accepting = shared.clone();
        thread::spawn(move || {
            for (turn, client) in listener.incoming().enumerate() {
                let (Ok(client), shared) = (client, accepting.clone()) else { continue };
                thread::spawn(move || {
                    // An error ends only this connection.
                    let _ = pass(client, &shared, turn);
                });
            }
        });
        Ok(Self { port, shared })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    /// Drops the brokers' sides of all connections, without notice to the clients.
    pub(super) fn halve(&self) {
        self.shared.halved.fetch_add(1, Ordering::SeqCst);
    }
}

/// How often a connection checks its mode.
const LOOK: Duration = Duration::from_millis(100);

fn pass(client: TcpStream, shared: &Arc<Shared>, turn: usize) -> io::Result<()> {
    while shared.mode() == Mode::Silent {
        // Accepts a connection and never answers it; the socket of a client that gives up is dropped when the mode changes.
        thread::sleep(LOOK);
    }
    let count = shared.targets.len();
    let broker = (0..count).find_map(|i| {
        let port = shared.targets[(turn + i) % count];
        TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), Duration::from_secs(1)).ok()
    });
    let Some(broker) = broker else { return client.shutdown(Shutdown::Both) };
    for stream in [&client, &broker] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK))?;
    }
    let born = shared.halved.load(Ordering::SeqCst);
    let (from_client, to_broker) = (client.try_clone()?, broker.try_clone()?);
    let up = shared.clone();
    thread::spawn(move || copy(from_client, to_broker, &up, born));
    copy(broker, client, shared, born);
    Ok(())
}

/// Copies bytes from one side to the other until a side ends. When halved, shuts the broker's side and keeps the client's
/// side open.
fn copy(mut from: TcpStream, mut to: TcpStream, shared: &Shared, born: u64) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if shared.halved.load(Ordering::SeqCst) != born {
            let targets = &shared.targets;
            let is_broker = |stream: &TcpStream| stream.peer_addr().is_ok_and(|peer| targets.contains(&peer.port()));
            for stream in [&from, &to] {
                if is_broker(stream) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
            // The client's side stays open, and its bytes are discarded.
            while !is_broker(&from) && !matches!(from.read(&mut buffer), Ok(0)) {}
            return;
        }
        if shared.mode() == Mode::Silent {
            thread::sleep(LOOK);
            continue;
        }
        match from.read(&mut buffer) {
            // the thread of the other direction may have shut the broker's side first
            Ok(0) if shared.halved.load(Ordering::SeqCst) != born => {}
            Ok(0) => break,
            Ok(count) => {
                if to.write_all(&buffer[..count]).is_err() && shared.halved.load(Ordering::SeqCst) == born {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) if shared.halved.load(Ordering::SeqCst) != born => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
