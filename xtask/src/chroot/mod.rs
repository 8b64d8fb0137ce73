//! `cargo xtask broker 4`: makes a folder with RabbitMQ 4, out of a Debian release that has it.
//!
//! debootstrap makes a tree of that release below the target folder, and scripts run programs in it. All mounts are in the mount
//! namespace of the processes that need them: they end with the last process, and `cargo clean` never meets one.

mod mirror;

use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use mirror::Mirror;

use crate::machine;
use crate::rabbitmq::RabbitMq;
use crate::target;

/// The release of Debian that has RabbitMQ 4.
const SUITE: &str = "trixie";
/// Makes the tree, as root.
const MAKE: &str = include_str!("make.sh");
/// Runs, in the tree, the program that has this script's name.
const RUN: &str = include_str!("run.sh");
const PROGRAMS: [&str; 4] = ["rabbitmq-server", "rabbitmqctl", "epmd", "erl"];
/// Prints RabbitMQ's version. `rabbitmqctl version` would do it too, and leave Erlang's port mapper running.
const VERSION: &str = r#"
    [Folder] = filelib:wildcard("/usr/lib/rabbitmq/lib/rabbitmq_server-*/escript/rabbitmqctl"),
    ["rabbitmq_server-" ++ Version] = [N || "rabbitmq_server-" ++ _ = N <- filename:split(Folder)],
    io:put_chars(Version), halt().
"#;
/// The number of debootstrap's last lines that an error shows.
const SHOWN: usize = 12;

/// A folder that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "RabbitMQ 4 is not in {}, and could not be installed there: {why}\n  this needs Debian with a mirror of Debian in apt's sources, root (or \
         sudo without a password), and the right to mount (in a container: CAP_SYS_ADMIN)\n  or use a RabbitMQ 4 of your own: --broker \
         DIR, where DIR has rabbitmq-server and rabbitmqctl",
        folder.display()
    )]
    NotMade { folder: PathBuf, why: String },
    #[error(transparent)]
    Target(#[from] target::Error),
}

/// Returns RabbitMQ 4 and its exact version. Makes its folder if it is missing or incomplete, and prints a line first.
pub(crate) fn provide() -> Result<(RabbitMq, String), Error> {
    let folder = target::folder()?.join("rabbitmq-4");
    let failed = |why: String| Error::NotMade { folder: folder.clone(), why };
    let unwritable = |error: io::Error| failed(format!("{} could not be written ({error})", folder.display()));
    fs::create_dir_all(&folder).map_err(unwritable)?;
    // Of two concurrent runs, the second waits, and uses the folder that the first has made.
    let lock = File::create(folder.join("provide.lock")).map_err(unwritable)?;
    lock.lock().map_err(unwritable)?;
    if folder.join("root").is_dir() {
        write_programs(&folder).map_err(unwritable)?;
        match version(&folder) {
            Ok(version) => return Ok((at(&folder).map_err(failed)?, version)),
            Err(why) => println!("{} is incomplete ({why})", folder.display()),
        }
    }
    make(&folder).map_err(failed)?;
    write_programs(&folder).map_err(unwritable)?;
    let version = version(&folder).map_err(failed)?;
    Ok((at(&folder).map_err(failed)?, version))
}

fn at(folder: &Path) -> Result<RabbitMq, String> {
    RabbitMq::at(folder).map_err(|error| error.to_string())
}

/// Writes the scripts that are missing or differ. Replaces a file instead of changing it, because it may be running.
fn write_programs(folder: &Path) -> io::Result<()> {
    for program in PROGRAMS.map(|name| folder.join(name)) {
        if fs::read_to_string(&program).is_ok_and(|text| text == RUN) {
            continue;
        }
        let file = tempfile::NamedTempFile::new_in(folder)?;
        fs::write(file.path(), RUN)?;
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o755))?;
        file.persist(program)?;
    }
    Ok(())
}

/// Asks a program in the tree for RabbitMQ's version, which also shows that programs run there.
fn version(folder: &Path) -> Result<String, String> {
    let mut erl = Command::new(folder.join("erl"));
    let asked = erl.args(["-noinput", "-eval", VERSION]).stdin(Stdio::null()).output();
    let asked = asked.map_err(|error| format!("erl in this folder could not be run: {error}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match said(&asked.stdout) {
        version if asked.status.success() && !version.is_empty() => Ok(version),
        said_first => {
            Err(format!("erl in this folder failed ({}): {said_first} {}", asked.status, said(&asked.stderr)))
        }
    }
}

fn make(folder: &Path) -> Result<(), String> {
    // kill the child with this process: it would go on in a folder that the next run makes
    let mut command =
        machine::as_root("setpriv").ok_or("only root can make the folder, and sudo asks for a password")?;
    command.args(["--pdeathsig", "KILL", "sh", "-c", MAKE, "make"]).arg(folder);
    let mirror = Mirror::of_apt()?;
    machine::provide_debootstrap().map_err(|error| error.to_string())?;
    println!(
        "making {}: Debian's {SUITE} with RabbitMQ, from {} (a minute, 100 MB to fetch and 300 MB to keep)",
        folder.display(),
        mirror.uri
    );
    let again = if folder.join("root").is_dir() { "again" } else { "" };
    // let the target folder's owner remove what sudo has made
    let owner = fs::metadata(folder).map_err(|error| error.to_string())?;
    let owner = format!("{}:{}", owner.uid(), owner.gid());
    command.args([SUITE, &*mirror.uri, &*owner, mirror.proxy.as_deref().unwrap_or_default(), again]);
    let made = command.stdin(Stdio::null()).output().map_err(|error| format!("sh could not be run ({error})"))?;
    if made.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&made.stdout).into_owned() + &String::from_utf8_lossy(&made.stderr);
    let lines: Vec<_> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n    ");
    Err(format!("debootstrap failed ({}):\n    {last}", made.status))
}
