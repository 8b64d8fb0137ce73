//! A private PostgreSQL server with a pooler before it: free ports, a data folder of its own, stopped even if this process is killed.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The folder in which Debian has each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The maximum time for the server to start.
const START: Duration = Duration::from_secs(60);

/// The pooler. Each transaction gets one of two connections to the server.
pub(crate) const PGBOUNCER: &str = "/usr/sbin/pgbouncer";
/// The pooler's configuration, without its ports.
const POOLER: &str = "listen_addr = 127.0.0.1
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
";

/// Makes the data folder, and starts the server and the pooler. Stops them when standard input ends. Both refuse to run as
/// root, so root becomes the user that Debian's package has made for them.
const KEEPER: &str = r#"
dir=$1 bin=$2 port=$3 pooler=$4
as=
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    as='runuser -u postgres --'
fi
cd "$dir"
$as "$bin/initdb" --pgdata "$dir/data" --username postgres --auth trust --no-sync </dev/null >"$dir/out" 2>&1
$as "$bin/postgres" -D "$dir/data" -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 </dev/null >>"$dir/out" 2>&1 &
server=$!
$as "$pooler" -q "$dir/pooler.ini" </dev/null >>"$dir/out" 2>&1 &
pooler=$!
while read -r _; do :; done
kill -TERM "$pooler" 2>/dev/null
$as "$bin/pg_ctl" --pgdata "$dir/data" --mode fast stop >/dev/null 2>&1 || kill -KILL "$server" 2>/dev/null
wait "$server" "$pooler"
rm -rf "$dir"
"#;

/// A server that didn't start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the private PostgreSQL could not be prepared: {0}")]
    Prepare(#[from] io::Error),
    #[error("no PostgreSQL server under {VERSIONS}")]
    Missing,
    #[error("the private PostgreSQL wasn't ready within {} s:\n{log}", START.as_secs())]
    Slow { log: String },
}

/// A running server with its pooler. Dropping it stops both.
pub(crate) struct Postgres {
    keeper: Child,
    port: u16,
    pooler: u16,
}

/// Returns the folder of the programs of the newest installed version.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.filter_map(Result::ok).map(|entry| entry.path().join("bin"));
    versions.filter(|bin| bin.join("postgres").exists()).max_by_key(|bin| number(bin))
}

fn number(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

impl Postgres {
    /// Starts a server and waits until it takes connections.
    pub(crate) fn start() -> Result<Self, Error> {
        let bin = programs().ok_or(Error::Missing)?;
        // the keeper process removes the folder, because it outlives this process
        let dir = TempDir::with_prefix("twyla-postgres-")?.keep();
        let (one, other) = (TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
        let (port, pooler) = (one.local_addr()?.port(), other.local_addr()?.port());
        drop((one, other));
        let databases = format!("[databases]\n* = host=127.0.0.1 port={port} user=postgres\n");
        fs::write(dir.join("pooler.ini"), format!("{databases}[pgbouncer]\nlisten_port = {pooler}\n{POOLER}"))?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&dir)
            .arg(&bin)
            .arg(port.to_string())
            .arg(PGBOUNCER)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let server = Self { keeper, port, pooler };
        let until = Instant::now() + START;
        while Instant::now() < until {
            let ready = |port: u16| {
                let args = ["--quiet", "--host", "127.0.0.1", "--port", &port.to_string()];
                Command::new(bin.join("pg_isready")).args(args).status()
            };
            if ready(port)?.success() && ready(pooler)?.success() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(200));
        }
        Err(Error::Slow { log: fs::read_to_string(dir.join("out")).unwrap_or_default() })
    }

    /// Returns the pooler's URL for sqlx, without the database's name.
    pub(crate) fn pooler(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/", self.pooler)
    }

    /// Returns the server's URL for sqlx.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
