//! A private RabbitMQ node: free ports, a data folder of its own, and an end that comes whatever happens to us.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, path::Path};

use tempfile::TempDir;

use crate::machine::RABBITMQ_SERVER;

/// How long a node may take to start; a loaded machine with two cores needs about 15 s.
const START: Duration = Duration::from_secs(180);

/// Stops the node once our end of its standard input is closed, which also happens when we are killed: the node, the
/// port mapper that Erlang starts beside it, and the data folder.
const KEEPER: &str = r#"
dir=$1; shift
"$@" </dev/null >"$dir/out" 2>&1 &
node=$!
while read -r _; do :; done
kill -TERM "$node" 2>/dev/null
wait "$node"
epmd -kill >/dev/null 2>&1
rm -rf "$dir"
"#;

/// A node that didn't start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the private RabbitMQ node could not be prepared: {0}")]
    Prepare(#[from] io::Error),
    #[error("the private RabbitMQ node ended before it was ready ({status}):\n{log}")]
    Ended { status: ExitStatus, log: String },
    #[error("the private RabbitMQ node wasn't ready within {} s:\n{log}", START.as_secs())]
    Slow { log: String },
}

/// A running node. It stops when this is dropped.
pub(crate) struct Broker {
    keeper: Child,
    port: u16,
}

impl Broker {
    /// Starts a node and waits until it answers as AMQP 0-9-1 asks (section 4.2.2: the server's Connection.Start).
    pub(crate) fn start() -> Result<Self, Error> {
        // the keeper removes the folder, since it outlives us
        let dir = TempDir::with_prefix("twyla-rabbitmq-")?.keep();
        let [port, dist, epmd] = free_ports()?;
        fs::write(dir.join("rabbitmq.conf"), format!("listeners.tcp.1 = 127.0.0.1:{port}\nlog.file.level = info\n"))?;
        fs::write(dir.join("enabled_plugins"), "[].\n")?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&dir)
            .arg(RABBITMQ_SERVER)
            .env("HOME", &dir)
            .env("RABBITMQ_NODENAME", format!("twyla-{}@localhost", std::process::id()))
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_CONFIG_FILE", dir.join("rabbitmq"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("enabled_plugins"))
            .env("RABBITMQ_MNESIA_BASE", dir.join("data"))
            .env("RABBITMQ_LOG_BASE", dir.join("log"))
            .env("RABBITMQ_PID_FILE", dir.join("pid"))
            .env("RABBITMQ_DIST_PORT", dist.to_string())
            .env("ERL_EPMD_PORT", epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // ctrl-C ends us; the node is then ended by the keeper, in order
            .process_group(0)
            .spawn()?;
        let mut broker = Self { keeper, port };
        broker.wait_until_ready(&dir)?;
        Ok(broker)
    }

    /// The port of AMQP on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn wait_until_ready(&mut self, dir: &Path) -> Result<(), Error> {
        let log = || fs::read_to_string(dir.join("out")).unwrap_or_default();
        let until = Instant::now() + START;
        while Instant::now() < until {
            if let Some(status) = self.keeper.try_wait()? {
                return Err(Error::Ended { status, log: log() });
            }
            if answers(self.port) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(200));
        }
        Err(Error::Slow { log: log() })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
    let mut first = [0; 1];
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.write_all(b"AMQP\x00\x00\x09\x01").is_ok()
        && stream.read_exact(&mut first).is_ok()
        && first == [1] // a method frame
}

/// Three ports that nobody holds now. All are held at once, so that they differ.
fn free_ports() -> io::Result<[u16; 3]> {
    let hold = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held = [hold()?, hold()?, hold()?];
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    Ok([port(&held[0])?, port(&held[1])?, port(&held[2])?])
}
