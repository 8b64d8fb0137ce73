//! A private RabbitMQ node: free ports, a data folder of its own, and an end that comes whatever happens to us.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificates;
use crate::machine::{RABBITMQ_SERVER, RABBITMQCTL};

/// How long a node may take to start; a loaded machine with two cores needs about 15 s.
const START: Duration = Duration::from_secs(180);

/// Starts the node, and again for each line on its standard input. Stops it once that ends, which also happens when we are
/// killed: the node, the port mapper that Erlang starts beside it, and the data folder.
const KEEPER: &str = r#"
dir=$1; shift
"$@" </dev/null >>"$dir/out" 2>&1 &
node=$!
while read -r _; do
    wait "$node"
    "$@" </dev/null >>"$dir/out" 2>&1 &
    node=$!
done
[ -e "$dir/pid" ] && kill -CONT "$(cat "$dir/pid")" 2>/dev/null
kill -TERM "$node" 2>/dev/null
wait "$node"
epmd -kill >/dev/null 2>&1
rm -rf "$dir"
"#;

/// What went wrong with a node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the private RabbitMQ node could not be prepared: {0}")]
    Prepare(#[from] io::Error),
    #[error("the private RabbitMQ node ended before it was ready ({status}):\n{log}")]
    Ended { status: ExitStatus, log: String },
    #[error("the private RabbitMQ node wasn't ready within {} s:\n{log}", START.as_secs())]
    Slow { log: String },
    #[error("rabbitmqctl {args} failed ({status}):\n{said}")]
    Ctl { args: String, status: ExitStatus, said: String },
}

/// A running node. It stops when this is dropped.
pub(crate) struct Broker {
    keeper: Child,
    dir: PathBuf,
    name: String,
    port: u16,
    tls: u16,
    epmd: u16,
}

impl Broker {
    /// Starts a node and waits until it answers as AMQP 0-9-1 asks (section 4.2.2: the server's Connection.Start).
    pub(crate) fn start() -> Result<Self, Error> {
        let [epmd] = free_ports()?;
        let mut broker = Self::begin("a", epmd, "")?;
        broker.wait_until_ready()?;
        Ok(broker)
    }

    /// Starts so many nodes as one cluster. A minority of them that is cut off pauses.
    pub(crate) fn start_cluster(count: usize) -> Result<Vec<Self>, Error> {
        if count == 1 {
            return Ok(vec![Self::start()?]);
        }
        let [epmd] = free_ports()?;
        let conf = "cluster_partition_handling = pause_minority\n";
        let mut nodes = Vec::new();
        for number in 0..count {
            let mut node = Self::begin(&format!("n{number}"), epmd, conf)?;
            node.wait_until_ready()?;
            if let Some(first) = nodes.first() {
                let first: &Self = first;
                for args in [&["stop_app"][..], &["reset"], &["join_cluster", &first.name], &["start_app"]] {
                    node.ctl(args)?;
                }
            }
            nodes.push(node);
        }
        Ok(nodes)
    }

    /// The node's name within Erlang.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Starts a node beside others that have the same port mapper, with more lines in its configuration.
    fn begin(name: &str, epmd: u16, conf: &str) -> Result<Self, Error> {
        // the keeper removes the folder, since it outlives us
        let dir = TempDir::with_prefix("twyla-rabbitmq-")?.keep();
        let [port, tls, dist] = free_ports()?;
        certificates::write(&dir)?;
        let log = "log.file.level = info\n";
        let at = dir.display();
        let ssl = format!(
            "listeners.ssl.1 = 127.0.0.1:{tls}\nssl_options.cacertfile = {at}/ca.pem\nssl_options.certfile = {at}/server.pem\n\
             ssl_options.keyfile = {at}/server.key\nssl_options.verify = verify_peer\n\
             ssl_options.fail_if_no_peer_cert = true\n"
        );
        fs::write(dir.join("rabbitmq.conf"), format!("listeners.tcp.1 = 127.0.0.1:{port}\n{ssl}{log}{conf}"))?;
        fs::write(dir.join("enabled_plugins"), "[].\n")?;
        let cookie = dir.join(".erlang.cookie");
        fs::write(&cookie, format!("twyla{}", std::process::id()))?;
        fs::set_permissions(&cookie, Permissions::from_mode(0o400))?;
        let name = format!("twyla-{}-{name}@localhost", std::process::id());
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&dir).arg(RABBITMQ_SERVER);
        keeper
            .env("RABBITMQ_CONFIG_FILE", dir.join("rabbitmq"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("enabled_plugins"))
            .env("RABBITMQ_MNESIA_BASE", dir.join("data"))
            .env("RABBITMQ_LOG_BASE", dir.join("log"))
            .env("RABBITMQ_PID_FILE", dir.join("pid"))
            .env("RABBITMQ_DIST_PORT", dist.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // ctrl-C ends us; the node is then ended by the keeper, in order
            .process_group(0);
        let keeper = as_node(&mut keeper, &dir, &name, epmd).spawn()?;
        Ok(Self { keeper, dir, name, port, tls, epmd })
    }

    /// The port of AMQP on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The port of AMQP over TLS, for clients that show a certificate of the node's CA.
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls
    }

    /// Where the node's files are, its certificates too.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `rabbitmqctl`, which takes a second or two; what it says.
    pub(crate) fn ctl(&self, args: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(RABBITMQCTL);
        command.args(["--quiet", "--node", &self.name]).args(args).stdin(Stdio::null());
        let output = as_node(&mut command, &self.dir, &self.name, self.epmd).output()?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(said(&output.stdout));
        }
        let said = said(&output.stdout) + &said(&output.stderr);
        Err(Error::Ctl { args: args.join(" "), status: output.status, said })
    }

    /// Writes a script that runs `rabbitmqctl` against the node with the script's arguments; where it is.
    pub(crate) fn ctl_script(&self) -> Result<PathBuf, Error> {
        let (path, dir) = (self.dir.join("ctl"), self.dir.display());
        let script = format!(
            "#!/bin/sh\nHOME='{dir}' RABBITMQ_NODENAME='{name}' RABBITMQ_CONF_ENV_FILE=/dev/null ERL_EPMD_PORT='{epmd}' \\\n\
             exec '{RABBITMQCTL}' --quiet --node '{name}' \"$@\"\n",
            name = self.name,
            epmd = self.epmd,
        );
        fs::write(&path, script)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// Sends the node's process a signal, `KILL` or the like.
    pub(crate) fn signal(&self, signal: &str) -> Result<(), Error> {
        let pid = fs::read_to_string(self.dir.join("pid"))?;
        Command::new("kill").args(["-s", signal, pid.trim()]).status()?;
        Ok(())
    }

    /// Starts a node again that was killed.
    pub(crate) fn restart(&mut self) -> Result<(), Error> {
        if let Some(keeper) = &mut self.keeper.stdin {
            keeper.write_all(b"start\n")?;
        }
        self.wait_until_ready()
    }

    /// Waits until it takes connections.
    pub(crate) fn wait_until_ready(&mut self) -> Result<(), Error> {
        let log = fs::read_to_string(self.dir.join("out")).unwrap_or_default();
        let until = Instant::now() + START;
        while Instant::now() < until {
            if let Some(status) = self.keeper.try_wait()? {
                return Err(Error::Ended { status, log });
            }
            if answers(self.port) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(200));
        }
        let log = fs::read_to_string(self.dir.join("out")).unwrap_or(log);
        Err(Error::Slow { log })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// What a node and its tools must know of it.
fn as_node<'a>(command: &'a mut Command, dir: &Path, name: &str, epmd: u16) -> &'a mut Command {
    command
        .env("HOME", dir)
        .env("RABBITMQ_NODENAME", name)
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("ERL_EPMD_PORT", epmd.to_string())
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

/// Ports that nobody holds now. All are held at once, so that they differ.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let held = [(); N].map(|()| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| Ok((listener.local_addr()?, listener)))
    });
    let mut ports = [0; N];
    for (port, held) in ports.iter_mut().zip(&held) {
        *port = match held {
            Ok((address, _)) => address.port(),
            Err(error) => return Err(error.kind().into()),
        };
    }
    Ok(ports)
}
