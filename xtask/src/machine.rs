//! The programs that the tests need beyond the Rust toolchain, and their installation.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::rabbitmq::RabbitMq;

/// Debian's interpreter, for which its `python3-requests` and `python3-aiohttp` are installed.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
/// Debian's browser.
pub(crate) const CHROMIUM: &str = "/usr/bin/chromium";

/// A program that the machine lacks and that apt could not install.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "the tests need {missing}, and {why}.\n  Install it yourself and run this again: on Debian or Ubuntu, as root,\n    apt-get install {packages}\n  or run only the tests that need none of this: cargo test"
    )]
    Missing { missing: String, why: String, packages: String },
}

struct Need {
    what: &'static str,
    package: &'static str,
    is_here: fn() -> bool,
}

const RABBITMQ: Need = Need {
    what: "RabbitMQ (the broker of the transport's tests)",
    package: "rabbitmq-server",
    is_here: || RabbitMq::distribution().is_there(),
};

const DEBOOTSTRAP: Need = Need {
    what: "debootstrap (installs the RabbitMQ of another release of Debian)",
    package: "debootstrap",
    is_here: || quiet(Command::new("debootstrap").arg("--version")),
};

const NEEDS: &[Need] = &[
    Need {
        what: "OpenSSL (certificates for the private broker)",
        package: "openssl",
        is_here: || quiet(Command::new("openssl").arg("version")),
    },
    Need {
        what: "PostgreSQL (the database of the stores' tests)",
        package: "postgresql",
        is_here: || crate::postgres::programs().is_some(),
    },
    Need {
        what: "PgBouncer (pools connections to the database)",
        package: "pgbouncer",
        is_here: || Path::new(crate::postgres::PGBOUNCER).exists(),
    },
    Need {
        what: "Python with venv (for the libraries of the Python original)",
        package: "python3-venv",
        is_here: || quiet(Command::new(PYTHON).args(["-c", "import venv, ensurepip"])),
    },
    Need {
        what: "Python with requests (calls RPCs)",
        package: "python3-requests",
        is_here: || quiet(Command::new(PYTHON).args(["-c", "import requests"])),
    },
    Need {
        what: "Python with aiohttp (calls RPCs)",
        package: "python3-aiohttp",
        is_here: || quiet(Command::new(PYTHON).args(["-c", "import aiohttp"])),
    },
    Need { what: "curl (calls RPCs)", package: "curl", is_here: || quiet(Command::new("curl").arg("--version")) },
    Need {
        what: "Chromium (opens the pages of contracts)",
        package: "chromium",
        is_here: || Path::new(CHROMIUM).exists(),
    },
    Need {
        what: "Node.js with npm (for AsyncAPI's own parser)",
        package: "npm",
        is_here: || quiet(Command::new("npm").arg("--version")) && quiet(Command::new("node").arg("--version")),
    },
];

/// Installs with apt what the tests need and the machine lacks, and prints a line first. Returns the RabbitMQ to run: the
/// chosen one, or the distribution's, which is installed too if it is missing.
pub(crate) fn provide(chosen: Option<RabbitMq>) -> Result<RabbitMq, Error> {
    let rabbitmq = chosen.is_none().then_some(&RABBITMQ);
    install_missing(&rabbitmq.into_iter().chain(NEEDS).collect::<Vec<_>>())?;
    Ok(chosen.unwrap_or_else(RabbitMq::distribution))
}

/// Installs debootstrap if the machine lacks it, and prints a line first.
pub(crate) fn provide_debootstrap() -> Result<(), Error> {
    install_missing(&[&DEBOOTSTRAP])
}

fn install_missing(needs: &[&Need]) -> Result<(), Error> {
    let missing = || needs.iter().filter(|need| !(need.is_here)()).collect::<Vec<_>>();
    let before = missing();
    if before.is_empty() {
        return Ok(());
    }
    for need in &before {
        println!("missing on this machine: {}; installing Debian's package {}", need.what, need.package);
    }
    let packages: Vec<_> = before.iter().map(|need| need.package).collect();
    let why = install(&packages);
    let after = missing();
    if after.is_empty() {
        return Ok(());
    }
    Err(Error::Missing {
        missing: after.iter().map(|need| need.what).collect::<Vec<_>>().join(" and "),
        why: why.err().unwrap_or_else(|| "apt-get succeeded, but it is still missing".into()),
        packages: packages.join(" "),
    })
}

/// Installs packages. Debian starts a server when it installs it, on a port that a developer's own broker may use;
/// `policy-rc.d` prevents that.
const SCRIPT: &str = r#"
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends "$@"
"#;

fn install(packages: &[&str]) -> Result<(), String> {
    let install = ["-c", SCRIPT, "install"];
    apt("sh", &[&install, packages].concat(), "install it")
}

/// Fetches apt's lists.
pub(crate) fn update() -> Result<(), String> {
    apt("apt-get", &["update"], "fetch apt's lists")
}

fn apt(program: &str, args: &[&str], what: &str) -> Result<(), String> {
    if !quiet(Command::new("apt-get").arg("--version")) {
        return Err("this machine has no apt-get".into());
    }
    let mut command = as_root(program).ok_or_else(|| format!("only root can {what}, and sudo asks for a password"))?;
    match command.args(args).stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("apt-get failed ({status})")),
        Err(error) => Err(format!("apt-get could not be run ({error})")),
    }
}

/// Returns the command that runs a program as root, through sudo if need be. `None` if sudo would ask for a password.
pub(crate) fn as_root(program: &str) -> Option<Command> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if root {
        return Some(Command::new(program));
    }
    quiet(Command::new("sudo").args(["-n", "true"])).then(|| {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", program]);
        sudo
    })
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
