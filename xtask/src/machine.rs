//! What the tests need on the machine beyond the Rust toolchain, and how it gets there.

use std::path::Path;
use std::process::{Command, Stdio};

/// RabbitMQ's start script: the one behind `/usr/sbin/rabbitmq-server`, which asks for no particular user.
pub(crate) const RABBITMQ_SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// RabbitMQ's control script, likewise.
pub(crate) const RABBITMQCTL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
/// The interpreter that Debian's `python3-pika` is installed for.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
/// Debian's browser.
pub(crate) const CHROMIUM: &str = "/usr/bin/chromium";

/// Something that the machine lacks and apt would not bring.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "the tests need {missing}, and {why}.\n  Install it yourself and run this again: on Debian or Ubuntu, as root,\n    apt-get install {packages}\n  or run only what needs none of it: cargo test"
    )]
    Missing { missing: String, why: String, packages: String },
}

struct Need {
    what: &'static str,
    package: &'static str,
    is_here: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "RabbitMQ (a real broker for the transport's tests)",
        package: "rabbitmq-server",
        is_here: || Path::new(RABBITMQ_SERVER).exists(),
    },
    Need {
        what: "OpenSSL (certificates for the private broker)",
        package: "openssl",
        is_here: || quiet(Command::new("openssl").arg("version")),
    },
    Need {
        what: "PostgreSQL (a real database for the stores' tests)",
        package: "postgresql",
        is_here: || crate::postgres::programs().is_some(),
    },
    Need {
        what: "Python with pika (the other side of the wire's tests)",
        package: "python3-pika",
        is_here: || quiet(Command::new(PYTHON).args(["-c", "import pika"])),
    },
    Need {
        what: "Python with requests (a plain caller of RPCs)",
        package: "python3-requests",
        is_here: || quiet(Command::new(PYTHON).args(["-c", "import requests"])),
    },
    Need {
        what: "Python with aiohttp (another one)",
        package: "python3-aiohttp",
        is_here: || quiet(Command::new(PYTHON).args(["-c", "import aiohttp"])),
    },
    Need {
        what: "curl (a person who calls RPCs)",
        package: "curl",
        is_here: || quiet(Command::new("curl").arg("--version")),
    },
    Need {
        what: "Chromium (a real browser for the contract's pages)",
        package: "chromium",
        is_here: || Path::new(CHROMIUM).exists(),
    },
    Need {
        what: "Node.js with npm (for AsyncAPI's own parser)",
        package: "npm",
        is_here: || quiet(Command::new("npm").arg("--version")) && quiet(Command::new("node").arg("--version")),
    },
];

/// Installs with apt what the tests need and the machine lacks, saying so first.
pub(crate) fn provide() -> Result<(), Error> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    for need in &missing {
        println!("missing here: {}; installing Debian's {}", need.what, need.package);
    }
    let why = install(&packages);
    let missing = self::missing();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Missing {
        missing: missing.iter().map(|need| need.what).collect::<Vec<_>>().join(" and "),
        why: why.err().unwrap_or_else(|| "apt-get said it is done, but it is not there".into()),
        packages: packages.join(" "),
    })
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.is_here)()).collect()
}

/// Debian starts a server as it installs it, on the port that a developer's own broker may hold; `policy-rc.d` says no.
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
    if !quiet(Command::new("apt-get").arg("--version")) {
        return Err("this machine has no apt-get".into());
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut command = if root {
        Command::new("sh")
    } else if quiet(Command::new("sudo").args(["-n", "true"])) {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "sh"]);
        sudo
    } else {
        return Err("only root can install it (sudo asks for a password here)".into());
    };
    let status = command.args(["-c", SCRIPT, "install"]).args(packages).stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("apt-get failed ({status})")),
        Err(error) => Err(format!("apt-get could not be run ({error})")),
    }
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
