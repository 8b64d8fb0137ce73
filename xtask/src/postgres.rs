//! A private PostgreSQL server: a free port, a data folder of its own, and an end that comes whatever happens to us.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian has each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// How long the server may take to start.
const START: Duration = Duration::from_secs(60);

/// Makes the data folder, starts the server, and stops it once our end of its standard input is closed. PostgreSQL refuses
/// to be root, so root becomes the user that Debian's package has made for it.
const KEEPER: &str = r#"
dir=$1 bin=$2 port=$3
as=
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    as='runuser -u postgres --'
fi
cd "$dir"
$as "$bin/initdb" --pgdata "$dir/data" --username postgres --auth trust --no-sync </dev/null >"$dir/out" 2>&1
$as "$bin/postgres" -D "$dir/data" -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 </dev/null >>"$dir/out" 2>&1 &
while read -r _; do :; done
$as "$bin/pg_ctl" --pgdata "$dir/data" --mode fast stop >/dev/null 2>&1
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

/// A running server. It stops when this is dropped.
pub(crate) struct Postgres {
    keeper: Child,
    port: u16,
}

/// The programs of the newest version that is installed.
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
        // the keeper removes the folder, since it outlives us
        let dir = TempDir::with_prefix("twyla-postgres-")?.keep();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&dir)
            .arg(&bin)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let server = Self { keeper, port };
        let until = Instant::now() + START;
        while Instant::now() < until {
            let ready = Command::new(bin.join("pg_isready"))
                .args(["--quiet", "--host", "127.0.0.1", "--port", &port.to_string()])
                .status()?;
            if ready.success() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(200));
        }
        Err(Error::Slow { log: fs::read_to_string(dir.join("out")).unwrap_or_default() })
    }

    /// Where it is, as sqlx reads it.
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
