//! A private RabbitMQ node: free ports, a data folder of its own, stopped even if this process is killed.

mod greeting;

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificates;
use crate::rabbitmq::RabbitMq;

/// The maximum time for a node to start; a loaded machine with two cores needs about 15 s.
const START: Duration = Duration::from_secs(180);

/// Starts the node, and starts it again for each line on standard input. When standard input ends, also because this process
/// was killed, stops the node and the port mapper that Erlang starts beside it, and removes the data folder. The file `node`
/// has the node's process id.
const KEEPER: &str = r#"
dir=$1; shift
start() {
    "$@" </dev/null >>"$dir/out" 2>&1 &
    node=$!
    echo "$node" >"$dir/node"
}
start "$@"
while read -r _; do
    wait "$node"
    start "$@"
done
[ -e "$dir/pid" ] && kill -CONT "$(cat "$dir/pid")" 2>/dev/null
kill -TERM "$node" 2>/dev/null
wait "$node"
epmd -kill >/dev/null 2>&1
rm -rf "$dir"
"#;

/// A node that can't be started or controlled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the private RabbitMQ node could not be prepared: {0}")]
    Prepare(#[from] io::Error),
    #[error("the private RabbitMQ node ended before it was ready:\n{log}")]
    Ended { log: String },
    #[error("the private RabbitMQ node wasn't ready within {} s:\n{log}", START.as_secs())]
    Slow { log: String },
    #[error("rabbitmqctl {args} failed ({status}):\n{said}")]
    Ctl { args: String, status: ExitStatus, said: String },
}

/// A running node. Dropping it stops the node.
pub(crate) struct Broker {
    keeper: Child,
    dir: PathBuf,
    rabbitmq: RabbitMq,
    name: String,
    version: String,
    port: u16,
    tls: u16,
    epmd: u16,
}

impl Broker {
    /// Starts a node and waits until it greets as in AMQP 0-9-1.
    pub(crate) fn start(rabbitmq: &RabbitMq) -> Result<Self, Error> {
        let [epmd] = free_ports()?;
        let mut broker = Self::begin(rabbitmq, "a", epmd, "")?;
        broker.wait_until_ready()?;
        Ok(broker)
    }

    /// Starts `count` nodes as one cluster. A minority of nodes that is cut off from the others pauses.
    pub(crate) fn start_cluster(rabbitmq: &RabbitMq, count: usize) -> Result<Vec<Self>, Error> {
        if count == 1 {
            return Ok(vec![Self::start(rabbitmq)?]);
        }
        let [epmd] = free_ports()?;
        let conf = "cluster_partition_handling = pause_minority\n";
        let mut nodes = Vec::new();
        for number in 0..count {
            let mut node = Self::begin(rabbitmq, &format!("n{number}"), epmd, conf)?;
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

    /// Returns the node's name within Erlang.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Starts a node beside others with the same port mapper; `conf` is added to its configuration.
    fn begin(rabbitmq: &RabbitMq, name: &str, epmd: u16, conf: &str) -> Result<Self, Error> {
        // the keeper process removes the folder, because it outlives this process
        let dir = TempDir::with_prefix("twyla-rabbitmq-")?.keep();
        let [port, tls, dist] = free_ports()?;
        certificates::write(&dir)?;
        let log = "log.file.level = info\n";
        // the default of RabbitMQ 3; the default of RabbitMQ 4 is smaller than the largest events of the tests
        let size = "max_message_size = 134217728\n";
        let at = dir.display();
        let ssl = format!(
            "listeners.ssl.1 = 127.0.0.1:{tls}\nssl_options.cacertfile = {at}/ca.pem\nssl_options.certfile = {at}/server.pem\n\
             ssl_options.keyfile = {at}/server.key\nssl_options.verify = verify_peer\n\
             ssl_options.fail_if_no_peer_cert = true\n"
        );
        fs::write(dir.join("rabbitmq.conf"), format!("listeners.tcp.1 = 127.0.0.1:{port}\n{ssl}{log}{size}{conf}"))?;
        fs::write(dir.join("enabled_plugins"), "[].\n")?;
        let cookie = dir.join(".erlang.cookie");
        fs::write(&cookie, format!("twyla{}", std::process::id()))?;
        fs::set_permissions(&cookie, Permissions::from_mode(0o400))?;
        let name = format!("twyla-{}-{name}@localhost", std::process::id());
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = iter::once(rabbitmq.folder().to_owned()).chain(env::split_paths(&inherited));
        let path = env::join_paths(path).map_err(io::Error::other)?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&dir).arg(rabbitmq.server());
        keeper
            // the keeper runs the `epmd` in this RabbitMQ's folder, if there is one
            .env("PATH", path)
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
            // a process group of its own: ctrl-C ends only this process, and the keeper shuts the node down cleanly
            .process_group(0);
        let keeper = as_node(&mut keeper, &dir, &name, epmd).spawn()?;
        let rabbitmq = rabbitmq.clone();
        Ok(Self { keeper, dir, rabbitmq, name, version: String::new(), port, tls, epmd })
    }

    /// Returns the node's versions of RabbitMQ and Erlang.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Returns the port of AMQP on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the port of AMQP over TLS, for clients that show a certificate of the node's CA.
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls
    }

    /// Returns the folder of the node's files and certificates.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `rabbitmqctl`, which takes a second or two; returns its output.
    pub(crate) fn ctl(&self, args: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(self.rabbitmq.ctl());
        command.args(["--quiet", "--node", &self.name]).args(args).stdin(Stdio::null());
        let output = as_node(&mut command, &self.dir, &self.name, self.epmd).output()?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(said(&output.stdout));
        }
        let said = said(&output.stdout) + &said(&output.stderr);
        Err(Error::Ctl { args: args.join(" "), status: output.status, said })
    }

    /// Writes a script that runs `rabbitmqctl` on the node with the script's arguments; returns the script's path.
    pub(crate) fn ctl_script(&self) -> Result<PathBuf, Error> {
        let (path, dir) = (self.dir.join("ctl"), self.dir.display());
        let script = format!(
            "#!/bin/sh\nHOME='{dir}' RABBITMQ_NODENAME='{name}' RABBITMQ_CONF_ENV_FILE=/dev/null ERL_EPMD_PORT='{epmd}' \\\n\
             exec '{ctl}' --quiet --node '{name}' \"$@\"\n",
            ctl = self.rabbitmq.ctl().display(),
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

    /// Starts a killed node again.
    pub(crate) fn restart(&mut self) -> Result<(), Error> {
        // the file still names the killed process
        fs::remove_file(self.dir.join("node"))?;
        if let Some(keeper) = &mut self.keeper.stdin {
            keeper.write_all(b"start\n")?;
        }
        self.wait_until_ready()
    }

    /// Waits until the node takes connections. Fails at once if the node ends.
    pub(crate) fn wait_until_ready(&mut self) -> Result<(), Error> {
        let log = |dir: &Path| fs::read_to_string(dir.join("out")).unwrap_or_default();
        let until = Instant::now() + START;
        while Instant::now() < until {
            if self.has_ended() {
                return Err(Error::Ended { log: log(&self.dir) });
            }
            if let Some(version) = greeting::version(self.port) {
                self.version = version;
                return Ok(());
            }
            thread::sleep(Duration::from_millis(200));
        }
        Err(Error::Slow { log: log(&self.dir) })
    }

    /// Returns whether the node's process has ended: it is gone, or a zombie as long as the keeper doesn't wait for it.
    fn has_ended(&self) -> bool {
        let pid = fs::read_to_string(self.dir.join("node")).ok().and_then(|pid| pid.trim().parse::<u32>().ok());
        let Some(pid) = pid else { return false };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // the state follows the program's name, which is in parentheses
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Sets the environment of a node and its tools.
fn as_node<'a>(command: &'a mut Command, dir: &Path, name: &str, epmd: u16) -> &'a mut Command {
    command
        .env("HOME", dir)
        .env("RABBITMQ_NODENAME", name)
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("ERL_EPMD_PORT", epmd.to_string())
}

/// Returns free ports. All are bound at once, so that they differ.
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
