//! `cargo xtask chaos`: numbered events from several producers to three groups, during a schedule of faults that a seed decides.
//! Reports what was lost, delivered twice, or out of order.
//!
//! [`faults`] act on the [`stage`]: brokers, the network in a [`proxy`], and the producers and consumers ([`children`]), which send
//! their traces to a [`collector`]. The [`books`] collect their reports in a [`ledger`], and [`connections`] counts those of the broker.

mod books;
mod children;
mod collector;
mod connections;
mod error;
mod faults;
mod ledger;
mod proxy;
mod stage;

pub(crate) use error::Error;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use books::{Books, GROUPS, PRODUCERS};
use children::{Nursery, Pool, Running};
use fastrand::Rng;
use faults::Fault;
use proxy::Proxy;
use stage::Stage;

use crate::broker::Broker;
use crate::machine;
use crate::postgres::Postgres;
use crate::rabbitmq::RabbitMq;
use crate::target;

const KEYS: u32 = 20;
/// The maximum time for all producers and consumers to end: their drain deadline, and 5 s for their traces.
const END: Duration = Duration::from_secs(30);
const MEMBERS: usize = 2;

/// The options of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) events: u32,
    pub(crate) seed: Option<u64>,
    /// How often each fault comes.
    pub(crate) rounds: usize,
    pub(crate) one_node: bool,
    pub(crate) cluster: bool,
    /// Whether producers and consumers are optimized; otherwise they are built as the tests are.
    pub(crate) release: bool,
}

/// Runs chaos; the last line of the report says how many runs have passed. `chosen` is the RabbitMQ, if not the distribution's.
pub(crate) fn run(plan: Plan, chosen: Option<RabbitMq>, report: &mut dyn Write) -> Result<(), Error> {
    let rabbitmq = machine::provide(chosen)?;
    let program = build(plan.release)?;
    let seed = plan.seed.unwrap_or_else(|| now() as u64 % 1_000_000);
    writeln!(report, "chaos: {} events in each run, seed {seed}", plan.events)?;
    let (mut passed, mut failed) = (0, 0);
    let runs: [(bool, &str, usize, &[Fault]); 2] =
        [(plan.one_node, "one node", 1, &Fault::ONE_NODE), (plan.cluster, "three nodes", 3, &Fault::CLUSTER)];
    for (wanted, name, nodes, faults) in runs {
        if wanted {
            let nodes = Broker::start_cluster(&rabbitmq, nodes)?;
            let ok = one(name, nodes, &program, faults, plan, &mut Rng::with_seed(seed), report)?;
            passed += usize::from(ok);
            failed += usize::from(!ok);
        }
    }
    writeln!(report, "{passed} passed, {failed} failed")?;
    if failed == 0 { Ok(()) } else { Err(Error::Failed) }
}

/// Builds the program of the producers and consumers, and returns its path.
fn build(release: bool) -> Result<PathBuf, Error> {
    let (args, profile): (&[&str], _) = if release {
        (&["--release", "-p", "twyla-chaos"], "release")
    } else {
        // build it together with a test of the same packages, and so with the features of the tests: dependencies aren't
        // built again
        (&["--workspace", "--exclude=twyla-compat", "--test", "left_behind", "--bin", "chaos-child"], "debug")
    };
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    let status = command.args(["build", "--quiet"]).args(args).status()?;
    if !status.success() {
        return Err(Error::Build);
    }
    Ok(target::folder()?.join(profile).join("chaos-child"))
}

/// Runs once, and returns whether nothing was lost, disordered, doubled or left behind.
fn one(
    name: &str,
    nodes: Vec<Broker>,
    program: &Path,
    faults: &[Fault],
    plan: Plan,
    random: &mut Rng,
    report: &mut dyn Write,
) -> Result<bool, Error> {
    writeln!(report, "\n== {name} of RabbitMQ {}", nodes.iter().map(Broker::version).next().unwrap_or_default())?;
    let proxy = Proxy::start(nodes.iter().map(Broker::port).collect())?;
    let (_, log) =
        tempfile::Builder::new().prefix("twyla-chaos-").suffix(".log").tempfile()?.keep().map_err(io::Error::from)?;
    let (sender, lines) = mpsc::channel();
    let postgres = Postgres::start()?;
    let (program, port, collector) = (program.to_owned(), proxy.port(), collector::start()?);
    let nursery = Nursery::new(program, port, postgres.url(), collector, log.clone(), sender);
    nursery.prepare()?;
    let mut stage = Stage { nodes, proxy, nursery, consumers: Vec::new(), slow: 0, broken: 0 };
    let mut books = Books::new(lines);
    for group in GROUPS {
        for _ in 0..MEMBERS {
            stage.consumers.push((group, stage.nursery.consumer(group, Pool::Usual)?));
        }
    }
    books.until_ready(&stage, 1)?;

    let mut schedule: Vec<_> = faults.iter().cycle().take(faults.len() * plan.rounds).copied().collect();
    random.shuffle(&mut schedule);
    // Emit slowly enough that the events last as long as the faults, which take about 20 s each.
    let rate = (plan.events / (20 * u32::try_from(schedule.len()).unwrap_or(1)).max(1) / PRODUCERS).max(1);
    let mut producers = Vec::new();
    for number in 0..PRODUCERS {
        let events = plan.events / PRODUCERS + u32::from(number < plan.events % PRODUCERS);
        producers.push(stage.nursery.producer(&format!("p{number}"), events, KEYS, rate)?);
    }

    let (mut injected, mut left_behind) = (Vec::new(), Vec::new());
    for fault in schedule {
        books.flows();
        if let Err(wrong) = connections::settle(&stage, &mut books, &names(&producers, &stage))? {
            left_behind.push(format!("before \"{}\": {wrong}", fault.name()));
        }
        books.listen(Duration::from_millis(random.u64(..2000)));
        writeln!(report, "{}", fault.name())?;
        injected.push((fault, now()));
        fault.inject(&mut stage)?;
    }
    books.flows();
    let ended = now();
    if let Err(wrong) = connections::settle(&stage, &mut books, &names(&producers, &stage))? {
        left_behind.push(format!("after the last fault: {wrong}"));
    }
    producers.iter_mut().for_each(Running::hurry);
    books.until_done(PRODUCERS as usize);
    books.until_handled();
    let dead = books.until_dead(&stage)?;

    let peaks = stage.consumers.iter().map(|(_, running)| running.peak_kib()).max().unwrap_or(0);
    let peak = producers.iter().map(Running::peak_kib).max().unwrap_or(0);
    let (begun, consumers) = (Instant::now(), std::mem::take(&mut stage.consumers));
    let mut all: Vec<_> = producers.into_iter().chain(consumers.into_iter().map(|(_, running)| running)).collect();
    all.iter_mut().for_each(Running::leave);
    all.into_iter().try_for_each(Running::end)?;
    let end = begun.elapsed();
    books.listen(Duration::from_millis(500));
    if let Err(wrong) = connections::settle(&stage, &mut books, &[])? {
        left_behind.push(format!("after the end: {wrong}"));
    }
    let confirmed = books.ledger.confirmed();
    writeln!(report, "\n| fault                             | longest stall of each group |")?;
    writeln!(report, "|-----------------------------------|-----------------------------|")?;
    let ends = injected.iter().skip(1).map(|(_, next)| *next).chain([ended]);
    for ((fault, from), to) in injected.iter().zip(ends) {
        let stalls = GROUPS.map(|group| format!("{:.1} s", books.ledger.stall(group, *from, to) as f64 / 1e6));
        writeln!(report, "| {:<33} | {:<27} |", fault.name(), stalls.join(", "))?;
    }
    let events = (plan.events + stage.slow) as usize;
    writeln!(report, "\nemitted and confirmed: {confirmed} of {events}")?;
    for line in books.ledger.failed().iter().take(5) {
        writeln!(report, "  {line}")?;
    }
    let mut ok = confirmed == events;
    writeln!(report, "| group | handled | lost | delivered again | out of order within a key |")?;
    writeln!(report, "|-------|--------:|-----:|----------------:|--------------------------:|")?;
    for group in GROUPS {
        let totals = books.ledger.totals(group);
        writeln!(
            report,
            "| {group:<5} | {:>7} | {:>4} | {:>15} | {:>25} |",
            totals.handled, totals.lost, totals.again, totals.disordered
        )?;
        ok &= totals.lost == 0 && totals.disordered == 0;
    }
    let (effects, twice) = stage.nursery.effects()?;
    let again = twice.difference(books.ledger.emitted_again()).count();
    writeln!(report, "effects of each group with dedupe: {effects} done, {again} of them twice")?;
    ok &= effects == events && again == 0;
    if !books.ledger.emitted_again().is_empty() {
        writeln!(
            report,
            "emitted again under another message id, because refused events may have been sent: {}, {} of them done twice",
            books.ledger.emitted_again().len(),
            twice.len() - again
        )?;
    }
    if stage.broken > 0 {
        let found: Vec<_> = dead.iter().map(|(broken, other)| format!("{broken} and {other} others")).collect();
        writeln!(report, "of {} events that break their contract, dead-lettered: {}", stage.broken, found.join(", "))?;
        ok &= dead.iter().all(|dead| *dead == (stage.broken as usize, 0));
    }
    writeln!(report, "connections left behind: {}", if left_behind.is_empty() { "none" } else { "some" })?;
    for line in &left_behind {
        writeln!(report, "  {line}")?;
    }
    writeln!(report, "time to stop all services, with a collector that never reads: {:.1} s", end.as_secs_f32())?;
    ok &= left_behind.is_empty() && end < END;
    writeln!(report, "peak memory: a consumer {} MiB, a producer {} MiB", peaks / 1024, peak / 1024)?;
    if ok {
        fs::remove_file(&log)?;
    } else {
        writeln!(report, "log of the producers and consumers: {}", log.display())?;
    }
    Ok(ok)
}

/// Returns the names of the buses of all running children.
fn names(producers: &[Running], stage: &Stage) -> Vec<String> {
    let consumers = stage.consumers.iter().map(|(_, running)| running);
    producers.iter().chain(consumers).map(|running| running.name().to_owned()).collect()
}

/// Returns the microseconds since 1970, as the children report times.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros())
}
