//! `cargo xtask test`: every test there is, the broker's included.

use std::env;
use std::ffi::OsStr;
use std::process::Command;
use std::time::Instant;

use crate::broker::{self, Broker};
use crate::chaos;
use crate::machine::{self, CHROMIUM, PYTHON};
use crate::npm;
use crate::postgres::{self, Postgres};

/// A run that didn't pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Machine(#[from] machine::Error),
    #[error(transparent)]
    Broker(#[from] broker::Error),
    #[error(transparent)]
    Npm(#[from] npm::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error(transparent)]
    Chaos(#[from] chaos::Error),
    #[error("{step} did not pass")]
    Step { step: String },
    #[error("cargo could not be run: {0}")]
    Cargo(std::io::Error),
}

/// Provides what is missing, starts a private broker, and runs every test.
pub(crate) fn run(filter: Option<&str>) -> Result<(), Error> {
    let (servers, mut env) = servers()?;
    let npm = npm::provide()?.display().to_string();
    env.extend([("TWYLA_TEST_NODE", npm), ("TWYLA_TEST_CHROMIUM", CHROMIUM.to_owned())]);
    let env = &env[..];
    // a checker that the comparison is held beside has serde_json keep all digits: for it alone, not for what services have
    for (what, packages) in
        [("the tests", ["--workspace", "--exclude=twyla-compat"]), ("the comparison's", ["-p", "twyla-compat"])]
    {
        let mut tests = vec!["test", packages[0], packages[1], "--", "--include-ignored"];
        tests.extend(filter);
        cargo(what, &tests, env)?;
    }
    if filter.is_none() {
        for features in ["", "amqp", "idna", "tls", "postgres", "sqlite", "testing", "rpc-client", "rpc-server"] {
            let args = ["check", "--quiet", "-p", "twyla-runtime", "--no-default-features", "--features", features];
            cargo(&format!("twyla-runtime with the features {features:?}"), &args, &[])?;
        }
    }
    println!("stopping the private RabbitMQ node and PostgreSQL");
    drop(servers);
    if filter.is_none() {
        chaos::run(chaos::Plan { events: 10_000, seed: None, rounds: 1, one_node: true, cluster: true })?;
    }
    println!("every test has passed");
    Ok(())
}

/// Runs a command with a private broker.
pub(crate) fn with_broker(command: &[String]) -> Result<(), Error> {
    let (_servers, env) = servers()?;
    let [program, args @ ..] = command else { return Ok(()) };
    let status = Command::new(program).args(args).envs(env).status().map_err(Error::Cargo)?;
    if status.success() { Ok(()) } else { Err(Error::Step { step: command.join(" ") }) }
}

type Env = Vec<(&'static str, String)>;

/// Provides what is missing and starts a private broker and database; with how the tests find them.
fn servers() -> Result<((Broker, Postgres), Env), Error> {
    machine::provide()?;
    let begun = Instant::now();
    println!("starting a private RabbitMQ node");
    let broker = Broker::start()?;
    println!("it is ready on port {} after {:.1} s", broker.port(), begun.elapsed().as_secs_f32());
    let postgres = Postgres::start()?;
    let (port, url) = (broker.port().to_string(), postgres.url());
    let (tls, certificates) = (broker.tls_port().to_string(), broker.dir().display().to_string());
    let ctl = broker.ctl_script()?.display().to_string();
    let env = [
        ("TWYLA_TEST_AMQP_HOST", "127.0.0.1"),
        ("TWYLA_TEST_AMQP_PORT", &*port),
        ("TWYLA_TEST_AMQP_USER", "guest"),
        ("TWYLA_TEST_AMQP_PASS", "guest"),
        ("TWYLA_TEST_AMQP_VHOST", "/"),
        ("TWYLA_TEST_RABBITMQCTL", &*ctl),
        ("TWYLA_TEST_TLS_PORT", &*tls),
        ("TWYLA_TEST_TLS_FILES", &*certificates),
        ("TWYLA_TEST_POSTGRES", &*url),
        ("TWYLA_TEST_PYTHON", PYTHON),
    ];
    Ok(((broker, postgres), env.map(|(name, value)| (name, value.to_owned())).into()))
}

fn cargo(step: &str, args: &[&str], env: &[(&str, String)]) -> Result<(), Error> {
    println!("running {step}: cargo {}", args.join(" "));
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    let status = command.args(args).envs(env.iter().cloned()).status().map_err(Error::Cargo)?;
    if status.success() { Ok(()) } else { Err(Error::Step { step: step.into() }) }
}
