//! `cargo xtask test`: runs every test, including those that need a broker.

use std::env;
use std::ffi::OsStr;
use std::panic::resume_unwind;
use std::process::{Child, Command};
use std::thread;
use std::time::Instant;

use crate::broker::{self, Broker};
use crate::chaos;
use crate::chroot;
use crate::machine::{self, CHROMIUM, PYTHON};
use crate::npm;
use crate::postgres::{self, Postgres};
use crate::python;
use crate::rabbitmq::{self, RabbitMq};
use crate::target;

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
    Python(#[from] python::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error(transparent)]
    Chaos(#[from] chaos::Error),
    #[error(transparent)]
    Newer(#[from] chroot::Error),
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("{step} failed")]
    Step { step: String },
    #[error("cargo could not be run: {0}")]
    Cargo(std::io::Error),
}

/// The packages whose tests run together. `twyla-compat` has a dependency that turns on a feature of serde_json, which would
/// change what the others test.
const ALL: [&str; 2] = ["--workspace", "--exclude=twyla-compat"];
/// The packages with tests that need a broker. `cargo-twyla` isn't listed: its target `dead` runs because `twyla-tests` has a
/// target of this name too, and its tests of the Python package run on the first broker only.
const WITH_BROKER: [&str; 4] = ["twyla-tests", "chat", "twyla-telemetry-tests", "xtask"];
/// The chaos runs that are part of the tests.
const SHORT: chaos::Plan =
    chaos::Plan { events: 10_000, seed: None, rounds: 1, one_node: true, cluster: true, release: false };

/// The sets of features, with each of which the runtime is compiled separately.
const FEATURES: [&str; 9] = ["", "amqp", "idna", "tls", "postgres", "sqlite", "testing", "rpc-client", "rpc-server"];

/// Provides what is missing, starts a private broker, and runs every test. Without a filter or a chosen RabbitMQ, also runs
/// the tests that depend on the broker's version on RabbitMQ 4.
///
/// Work that mostly waits runs beside work that compiles: the tests are built while programs are installed, and chaos runs
/// beside the last tests.
pub(crate) fn run(filter: Option<&str>, chosen: Option<RabbitMq>) -> Result<(), Error> {
    let build = Build::start()?;
    let newer = match (filter, &chosen) {
        (None, None) => newer()?,
        (Some(_), None) => {
            Newer::Not("a filter was given; to run the filtered tests on another RabbitMQ, use --broker DIR".to_owned())
        }
        (_, Some(_)) => Newer::Not("only the RabbitMQ of --broker was used".to_owned()),
    };
    let rabbitmq = machine::provide(chosen)?;
    let pythons = pythons()?;
    let npm = npm::provide()?.display().to_string();
    build.finish()?;

    let (servers, mut env) = servers(&rabbitmq, &pythons)?;
    let version = servers.0.version().to_owned();
    env.extend([("TWYLA_TEST_NODE", npm), ("TWYLA_TEST_CHROMIUM", CHROMIUM.to_owned())]);
    cargo("the tests", &tests(&ALL, &["--include-ignored"], filter, &env), &env)?;
    stop(servers);
    let mut passed = format!("every test passed on RabbitMQ {version}");
    let mut not_run = Vec::new();
    for module in without_python(&env) {
        not_run.push(format!(
            "the tests in modules named `{}`: their Python libraries are missing",
            module.trim_end_matches(':')
        ));
    }
    match newer {
        Newer::Here(newer) => {
            let other = beside_chaos(vec![rabbitmq, newer.clone()], || {
                let version = on_newer(&newer, &pythons)?;
                without_broker(None)?;
                Ok(version)
            })?;
            passed += &format!(", and those of the broker and of chaos on {other}");
            not_run.push("the tests in modules named `python_package` on RabbitMQ 4".to_owned());
        }
        Newer::Not(why) => {
            not_run.push(format!("the tests of the broker and of chaos on RabbitMQ 4: {why}"));
            if filter.is_none() {
                beside_chaos(vec![rabbitmq], || without_broker(None))?;
            } else {
                without_broker(filter)?;
            }
        }
    }
    println!("{passed}");
    not_run.iter().for_each(|what| println!("not run: {what}"));
    Ok(())
}

/// A build of the tests, beside which programs are installed. Dropping it stops the build.
struct Build(Child);

impl Build {
    fn start() -> Result<Self, Error> {
        let args = [&["test", "--no-run"], &ALL[..]].concat();
        println!("building the tests, and installing missing programs: cargo {}", args.join(" "));
        Ok(Self(command(&args, &[]).spawn().map_err(Error::Cargo)?))
    }

    fn finish(mut self) -> Result<(), Error> {
        let status = self.0.wait().map_err(Error::Cargo)?;
        if status.success() { Ok(()) } else { Err(Error::Step { step: "the build of the tests".into() }) }
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        // after `finish`, `kill` and `wait` do nothing
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the comparison's tests and, without a filter, compiles the runtime with each of its features.
fn without_broker(filter: Option<&str>) -> Result<(), Error> {
    let mut args = vec!["test", "--no-fail-fast", "-p", "twyla-compat", "--", "--include-ignored"];
    args.extend(filter);
    cargo("the comparison's", &args, &[])?;
    if filter.is_some() {
        return Ok(());
    }
    for features in FEATURES {
        let args = ["check", "--quiet", "-p", "twyla-runtime", "--no-default-features", "--features", features];
        cargo(&format!("twyla-runtime with the features {features:?}"), &args, &[])?;
    }
    Ok(())
}

/// RabbitMQ 4, as a second version beside the one that all tests run on, or why it is missing.
enum Newer {
    Here(RabbitMq),
    Not(String),
}

/// Provides RabbitMQ 4. In CI it must exist; elsewhere the run continues without it, and prints a warning.
fn newer() -> Result<Newer, Error> {
    match chroot::provide() {
        Ok((rabbitmq, _)) => Ok(Newer::Here(rabbitmq)),
        Err(error) if in_ci(env::var_os("CI").as_deref()) => Err(error.into()),
        Err(error) => {
            println!("warning: {error}\n  The tests continue without RabbitMQ 4; with CI=true they would fail here");
            Ok(Newer::Not(error.to_string()))
        }
    }
}

/// The variables that name the Python interpreters of the tests, and the modules of the tests that need each.
const PYTHONS: [(&str, python::Environment, &str); 2] = [
    ("TWYLA_TEST_PYTHON_PEER", python::PEER, "python_peer::"),
    ("TWYLA_TEST_PYTHON_PACKAGE", python::PACKAGE, "python_package::"),
];

/// Provides the Python interpreters of the tests. In CI all must exist; elsewhere the run continues without those that are
/// missing.
fn pythons() -> Result<Env, Error> {
    let mut env = Env::new();
    for (variable, environment, module) in PYTHONS {
        match python::provide(environment) {
            Ok(python) => env.push((variable, python.display().to_string())),
            Err(error) if in_ci(env::var_os("CI").as_deref()) => return Err(error.into()),
            Err(error) => println!(
                "warning: {error}\n  The tests in modules named `{}` are left out; with CI=true the run would fail here",
                module.trim_end_matches(':')
            ),
        }
    }
    Ok(env)
}

/// Returns the modules of the tests whose Python interpreter is missing.
fn without_python(env: &[(&str, String)]) -> impl Iterator<Item = &'static str> {
    let is_missing = |variable: &str| !env.iter().any(|(name, _)| *name == variable);
    PYTHONS.into_iter().filter(move |(variable, ..)| is_missing(variable)).map(|(.., module)| module)
}

/// Returns whether this is CI: the variable `CI` is set, to anything but `false`, `0` or an empty text.
fn in_ci(variable: Option<&OsStr>) -> bool {
    variable.is_some_and(|value| !["", "false", "0"].iter().any(|no| value == *no))
}

/// Runs the tests that need a broker; returns the version that they ran on.
fn on_newer(rabbitmq: &RabbitMq, pythons: &Env) -> Result<String, Error> {
    let (servers, env) = servers(rabbitmq, pythons)?;
    let version = servers.0.version().to_owned();
    // select the tests in the whole workspace: their packages alone would be compiled again, with fewer features
    let targets = target::tests(&WITH_BROKER)?;
    let targets: Vec<_> = targets.iter().flat_map(|target| ["--test", target]).collect();
    // tests that need a broker are ignored by default
    let tests = tests(&[&ALL, &*targets].concat(), &["--ignored"], None, &env);
    cargo(&format!("the broker's tests on RabbitMQ {version}"), &tests, &env)?;
    stop(servers);
    Ok(version)
}

/// Runs chaos on each broker beside `work`, because chaos mostly waits. Both run to their end. Then the reports of chaos are
/// printed, and the first error is returned.
fn beside_chaos<T>(brokers: Vec<RabbitMq>, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    println!("running {} chaos runs at once, in parallel with the following steps", brokers.len());
    thread::scope(|scope| {
        let runs: Vec<_> = brokers
            .into_iter()
            .map(|rabbitmq| {
                scope.spawn(move || {
                    let mut report = Vec::new();
                    (chaos::run(SHORT, Some(rabbitmq), &mut report), report)
                })
            })
            .collect();
        let mut done = work();
        for run in runs {
            let (passed, report) = run.join().unwrap_or_else(|panic| resume_unwind(panic));
            print!("{}", String::from_utf8_lossy(&report));
            done = done.and_then(|done| Ok(passed.map(|()| done)?));
        }
        done
    })
}

/// Returns the arguments for cargo that run the tests of these packages.
fn tests<'a>(packages: &[&'a str], which: &[&'a str], filter: Option<&'a str>, env: &[(&str, String)]) -> Vec<&'a str> {
    let mut args = [&["test", "--no-fail-fast"], packages, &["--"], which].concat();
    args.extend(without_python(env).flat_map(|module| ["--skip", module]));
    args.extend(filter);
    args
}

fn stop(servers: (Broker, Postgres)) {
    println!("stopping the private RabbitMQ node and PostgreSQL");
    drop(servers);
}

/// Runs a command with a private broker.
pub(crate) fn with_broker(command: &[String], chosen: Option<RabbitMq>) -> Result<(), Error> {
    let rabbitmq = machine::provide(chosen)?;
    let (_servers, env) = servers(&rabbitmq, &pythons()?)?;
    let [program, args @ ..] = command else { return Ok(()) };
    let status = Command::new(program).args(args).envs(env).status().map_err(Error::Cargo)?;
    if status.success() { Ok(()) } else { Err(Error::Step { step: command.join(" ") }) }
}

type Env = Vec<(&'static str, String)>;

/// Starts a private broker and a private database. Returns them with the variables for the tests: their addresses, and the
/// Python interpreters.
fn servers(rabbitmq: &RabbitMq, pythons: &Env) -> Result<((Broker, Postgres), Env), Error> {
    let begun = Instant::now();
    println!("starting a private RabbitMQ node");
    let broker = Broker::start(rabbitmq)?;
    let (version, seconds) = (broker.version(), begun.elapsed().as_secs_f32());
    println!("RabbitMQ {version} is ready on port {} after {seconds:.1} s", broker.port());
    let postgres = Postgres::start()?;
    let (port, url, pooler) = (broker.port().to_string(), postgres.url(), postgres.pooler());
    let (tls, certificates) = (broker.tls_port().to_string(), broker.dir().display().to_string());
    let ctl = broker.ctl_script()?.display().to_string();
    let folder = rabbitmq.folder().display().to_string();
    let mut env: Env = [
        (rabbitmq::VARIABLE, &*folder),
        ("TWYLA_TEST_AMQP_HOST", "127.0.0.1"),
        ("TWYLA_TEST_AMQP_PORT", &*port),
        ("TWYLA_TEST_AMQP_USER", "guest"),
        ("TWYLA_TEST_AMQP_PASS", "guest"),
        ("TWYLA_TEST_AMQP_VHOST", "/"),
        ("TWYLA_TEST_RABBITMQCTL", &*ctl),
        ("TWYLA_TEST_TLS_PORT", &*tls),
        ("TWYLA_TEST_TLS_FILES", &*certificates),
        ("TWYLA_TEST_POSTGRES", &*url),
        ("TWYLA_TEST_PGBOUNCER", &*pooler),
        ("TWYLA_TEST_PYTHON", PYTHON),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    env.extend(pythons.iter().cloned());
    Ok(((broker, postgres), env))
}

fn cargo(step: &str, args: &[&str], env: &[(&str, String)]) -> Result<(), Error> {
    println!("running {step}: cargo {}", args.join(" "));
    let status = command(args, env).status().map_err(Error::Cargo)?;
    if status.success() { Ok(()) } else { Err(Error::Step { step: step.into() }) }
}

fn command(args: &[&str], env: &[(&str, String)]) -> Command {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(args).envs(env.iter().cloned());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_is_on_if_its_variable_is_set_and_not_false() {
        let ci = |value: &str| in_ci(Some(OsStr::new(value)));
        assert!(ci("true") && ci("1"));
        assert!(!ci("false") && !ci("0") && !ci("") && !in_ci(None));
    }

    #[test]
    fn leaves_out_only_the_tests_whose_python_is_missing() {
        let skipped = |env: &[(&str, String)]| tests(&[], &[], None, env)[3..].join(" ");
        let (peer, package) = (("TWYLA_TEST_PYTHON_PEER", String::new()), ("TWYLA_TEST_PYTHON_PACKAGE", String::new()));
        assert_eq!(skipped(&[]), "--skip python_peer:: --skip python_package::");
        assert_eq!(skipped(std::slice::from_ref(&peer)), "--skip python_package::");
        assert_eq!(skipped(&[peer, package]), "");
    }
}
