//! `cargo xtask chaos`: numbered events from several producers to two groups, while a schedule of faults from a seed is
//! gone through; and what was lost, handed over again, or out of order in the end.
//!
//! Its modules: [`faults`] is what goes wrong, [`proxy`] the network between, [`collector`] where consumers send their traces,
//! [`children`] the producers and consumers, [`ledger`] the books, and [`connections`] those that the broker has.

mod children;
mod collector;
mod connections;
mod faults;
mod ledger;
mod proxy;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use children::{Line, Nursery, Pool, Running};
use faults::Fault;
use ledger::Ledger;
use proxy::Proxy;

use crate::broker::{self, Broker};
use crate::machine;
use crate::postgres::{self, Postgres};
use crate::rabbitmq::RabbitMq;
use crate::target;

/// How long nothing may be handled before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(90);
const PRODUCERS: u32 = 3;
const KEYS: u32 = 20;
/// How long all of the producers and consumers may take to end: their drain deadline, and 5 s for their traces.
const END: Duration = Duration::from_secs(30);
/// The second has its effects in PostgreSQL, each in the transaction that remembers its event as handled.
const GROUPS: [&str; 2] = ["one", "two"];
const MEMBERS: usize = 2;

/// A run that could not be made, or did not pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Machine(#[from] machine::Error),
    #[error(transparent)]
    Broker(#[from] broker::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the producers and consumers could not be built")]
    Build,
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("{0} did not begin to consume")]
    NotReady(String),
    #[error("node {0} of 3 was not cut off from the others")]
    NotCutOff(usize),
    #[error("a run has lost, disordered or doubled something")]
    Failed,
}

/// What to do.
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

/// Everything that faults can touch.
struct Stage {
    nodes: Vec<Broker>,
    proxy: Proxy,
    nursery: Nursery,
    consumers: Vec<(&'static str, Running)>,
    /// How many slow events were emitted, and how many that break their contract.
    slow: u32,
    broken: u32,
}

impl Stage {
    /// Emits so many events whose handlers take this long.
    fn slow(&mut self, events: u32, time: Duration) -> io::Result<()> {
        let (name, keys) = (format!("slow{}", self.slow), events.to_string());
        let seconds = time.as_secs().to_string();
        self.nursery.helper(&["produce-slow", &name, "--keys", &keys, "--seconds", &seconds])?.end()?;
        self.slow += events;
        Ok(())
    }

    /// Publishes so many events that break their contract.
    fn broken(&mut self, events: u32) -> io::Result<()> {
        let (name, count) = (format!("broken{}", self.broken), events.to_string());
        self.nursery.helper(&["produce-broken", &name, "--events", &count])?.end()?;
        self.broken += events;
        Ok(())
    }
}

/// Goes through the runs; the report's last line says how many have passed. `chosen` is the RabbitMQ, if not the distribution's.
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
            let ok = one(name, nodes, &program, faults, plan, &mut Random(seed), report)?;
            passed += usize::from(ok);
            failed += usize::from(!ok);
        }
    }
    writeln!(report, "{passed} passed, {failed} failed")?;
    if failed == 0 { Ok(()) } else { Err(Error::Failed) }
}

/// Builds the producers and consumers; where they are.
fn build(release: bool) -> Result<PathBuf, Error> {
    let (args, profile): (&[&str], _) = if release {
        (&["--release", "-p", "twyla-chaos"], "release")
    } else {
        // beside a test of the same packages, and so with the features of the tests: what they depend on is not built again
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

/// One run; whether nothing was lost, disordered, doubled or left behind.
fn one(
    name: &str,
    nodes: Vec<Broker>,
    program: &Path,
    faults: &[Fault],
    plan: Plan,
    random: &mut Random,
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
    let mut books = Books { ledger: Ledger::default(), lines, ready: Vec::new(), done: 0 };
    for group in GROUPS {
        for _ in 0..MEMBERS {
            stage.consumers.push((group, stage.nursery.consumer(group, Pool::Usual)?));
        }
    }
    books.until_ready(&stage, 1)?;

    let mut schedule: Vec<_> = faults.iter().cycle().take(faults.len() * plan.rounds).copied().collect();
    random.shuffle(&mut schedule);
    // The events are to last as long as the faults: about 20 s for each.
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
        books.listen(Duration::from_millis(random.below(2000)));
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
    writeln!(report, "\n| fault                           | longest stall of each group |")?;
    writeln!(report, "|---------------------------------|-----------------------------|")?;
    let ends = injected.iter().skip(1).map(|(_, next)| *next).chain([ended]);
    for ((fault, from), to) in injected.iter().zip(ends) {
        let stalls = GROUPS.map(|group| format!("{:.1} s", books.ledger.stall(group, *from, to) as f64 / 1e6));
        writeln!(report, "| {:<31} | {:<27} |", fault.name(), stalls.join(", "))?;
    }
    let events = (plan.events + stage.slow) as usize;
    writeln!(report, "\nemitted and confirmed: {confirmed} of {events}")?;
    for line in books.ledger.failed().iter().take(5) {
        writeln!(report, "  {line}")?;
    }
    let mut ok = confirmed == events;
    writeln!(report, "| group | handled | lost | handed over again | out of order within a key |")?;
    writeln!(report, "|-------|--------:|-----:|------------------:|--------------------------:|")?;
    for group in GROUPS {
        let told = books.ledger.told(group);
        writeln!(
            report,
            "| {group:<5} | {:>7} | {:>4} | {:>17} | {:>25} |",
            told.handled, told.lost, told.again, told.disordered
        )?;
        ok &= told.lost == 0 && told.disordered == 0;
    }
    let (effects, twice) = stage.nursery.effects()?;
    let again = twice.difference(books.ledger.emitted_again()).count();
    writeln!(report, "effects of group two, with dedupe: {effects} done, {again} done twice")?;
    ok &= effects == events && again == 0;
    if !books.ledger.emitted_again().is_empty() {
        writeln!(
            report,
            "emitted again under another id, since the refused ones may have been sent: {}, {} of them done twice",
            books.ledger.emitted_again().len(),
            twice.len() - again
        )?;
    }
    if stage.broken > 0 {
        let found: Vec<_> = dead.iter().map(|(broken, other)| format!("{broken} and {other} others")).collect();
        writeln!(report, "dead-lettered of {} that break their contract: {}", stage.broken, found.join(", "))?;
        ok &= dead.iter().all(|dead| *dead == (stage.broken as usize, 0));
    }
    writeln!(report, "connections left behind: {}", if left_behind.is_empty() { "none" } else { "some" })?;
    for line in &left_behind {
        writeln!(report, "  {line}")?;
    }
    writeln!(report, "end of all, with a collector that never reads: {:.1} s", end.as_secs_f32())?;
    ok &= left_behind.is_empty() && end < END;
    writeln!(report, "peak memory: a consumer {} MiB, a producer {} MiB", peaks / 1024, peak / 1024)?;
    if ok {
        fs::remove_file(&log)?;
    } else {
        writeln!(report, "what the producers and consumers have logged: {}", log.display())?;
    }
    Ok(ok)
}

/// The names of the buses of all that run.
fn names(producers: &[Running], stage: &Stage) -> Vec<String> {
    let consumers = stage.consumers.iter().map(|(_, running)| running);
    producers.iter().chain(consumers).map(|running| running.name().to_owned()).collect()
}

/// What the children say, as it is written down.
struct Books {
    ledger: Ledger,
    lines: Receiver<Line>,
    ready: Vec<u32>,
    done: usize,
}

impl Books {
    fn take(&mut self, line: &Line) {
        match line.text.as_str() {
            "ready" => self.ready.push(line.child),
            "done" => self.done += 1,
            text => self.ledger.take(&line.group, text),
        }
    }

    /// Writes down what comes for so long.
    fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => self.take(&line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Until so many consumers of each group have begun: with one active member the others wait as they begin.
    fn until_ready(&mut self, stage: &Stage, count: usize) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        for group in GROUPS {
            let members: Vec<_> =
                stage.consumers.iter().filter(|(of, _)| *of == group).map(|(_, it)| it.id()).collect();
            while members.iter().filter(|id| self.ready.contains(id)).count() < count {
                if Instant::now() > until {
                    return Err(Error::NotReady(format!("group {group}")));
                }
                self.listen(Duration::from_millis(100));
            }
        }
        Ok(())
    }

    /// Until both groups have handled something in each of three seconds, or there is nothing left to handle.
    fn flows(&mut self) {
        let until = Instant::now() + PATIENCE;
        let mut steady = 0;
        while steady < 3 && Instant::now() < until && self.done < PRODUCERS as usize {
            let before = GROUPS.map(|group| self.ledger.deliveries(group));
            self.listen(Duration::from_secs(1));
            let all = GROUPS.iter().zip(before).all(|(group, before)| self.ledger.deliveries(group) > before);
            steady = if all { steady + 1 } else { 0 };
        }
    }

    fn until_done(&mut self, producers: usize) {
        let mut last = (Instant::now(), 0);
        while self.done < producers && last.0.elapsed() < PATIENCE {
            self.listen(Duration::from_millis(200));
            let now = self.ledger.confirmed();
            if now > last.1 {
                last = (Instant::now(), now);
            }
        }
    }

    /// Until each group has dead-lettered all that breaks its contract, or long enough for what was held. Of each group how many.
    fn until_dead(&mut self, stage: &Stage) -> io::Result<Vec<(usize, usize)>> {
        let until = Instant::now() + PATIENCE;
        loop {
            let dead = stage.nursery.dead()?;
            let all = dead.len() == GROUPS.len() && dead.iter().all(|(broken, _)| *broken >= stage.broken as usize);
            if stage.broken == 0 || all || Instant::now() > until {
                return Ok(dead);
            }
            self.listen(Duration::from_secs(1));
        }
    }

    /// Until everything is handled, or nothing more has come for long.
    fn until_handled(&mut self) {
        let mut last = (Instant::now(), 0);
        while last.0.elapsed() < PATIENCE && GROUPS.iter().any(|group| self.ledger.told(group).lost > 0) {
            self.listen(Duration::from_millis(500));
            let now = GROUPS.iter().map(|group| self.ledger.deliveries(group)).sum();
            if now > last.1 {
                last = (Instant::now(), now);
            }
        }
        // what comes again comes soon
        self.listen(Duration::from_secs(2));
    }
}

/// Microseconds since 1970, as the children tell them.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros())
}

/// SplitMix64: the same seed, the same schedule.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            let j = usize::try_from(self.below(i as u64 + 1)).unwrap_or(0);
            list.swap(i, j);
        }
    }
}
