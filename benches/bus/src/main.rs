//! Measures the cost of an event over RabbitMQ: Twyla compared with lapin, in typical use and tuned by hand.
//!
//! `cargo xtask with-broker cargo run --release -p twyla-bench-bus` prints the table, and with `--features seen --
//! --seen` the cost of traces and metrics.
//!
//! [`place`] sets up the broker, [`lapins`] and [`twylas`] implement each work. The result is the CPU time of this
//! whole process, including its I/O threads.

mod args;
mod contracts {
    twyla_runtime::include_contracts!();
}
mod lapins;
mod place;
#[cfg(feature = "seen")]
mod seen;
mod twylas;
mod workload;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use lapin::Connection;
use twyla_bench_clock::{Clock, Took, peak_kib, resident_kib};
use twyla_runtime::{Bus, QueueKind};

use args::Args;
use workload::Result;

type Doing = Pin<Box<dyn Future<Output = Result> + Send>>;

/// One variant of a work.
struct Way {
    name: &'static str,
    run: Box<dyn Fn() -> Doing>,
}

impl Way {
    fn twyla<F: Future<Output = Result> + Send + 'static>(bus: &Bus, run: impl Fn(Bus) -> F + 'static) -> Self {
        let bus = bus.clone();
        Self { name: "Twyla", run: Box::new(move || Box::pin(run(bus.clone()))) }
    }

    fn lapin<F: Future<Output = Result> + Send + 'static>(
        name: &'static str,
        connection: &Arc<Connection>,
        run: impl Fn(Arc<Connection>) -> F + 'static,
    ) -> Self {
        let connection = connection.clone();
        Self { name, run: Box::new(move || Box::pin(run(connection.clone()))) }
    }
}

struct Bench<'a> {
    args: &'a Args,
    connection: &'a Arc<Connection>,
    bus: &'a Bus,
}

impl Bench<'_> {
    /// Runs the variants in turns; the first is Twyla's, and the others have its target as a multiple of their cost.
    async fn work(
        &self,
        name: &str,
        kind: QueueKind,
        (events, waiting): (u32, bool),
        ways: &[Way],
        bars: &[Option<f64>],
    ) -> Result {
        if self.args.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return Ok(());
        }
        let mut took: Vec<Vec<Took>> = ways.iter().map(|_| Vec::new()).collect();
        for round in 0..=self.args.rounds {
            for turn in 0..ways.len() {
                let index = (turn + round) % ways.len();
                if self.args.way.as_ref().is_some_and(|only| !ways[index].name.contains(only.as_str())) {
                    continue;
                }
                let count = if waiting { events } else { 0 };
                lapins::filled(self.connection, kind, count).await?;
                let clock = Clock::start();
                // in a task, as in a service
                tokio::spawn((ways[index].run)()).await??;
                // the first round warms up
                if round > 0 {
                    took[index].push(clock.took());
                }
            }
        }
        let median = |index: usize, of: &dyn Fn(&Took) -> f64| {
            let mut values: Vec<_> = took[index].iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let cpu = |index| median(index, &|took| took.cpu.as_secs_f64() * 1e6 / f64::from(events));
        let rate = |index| median(index, &|took| f64::from(events) / took.wall.as_secs_f64());
        for (index, way) in ways.iter().enumerate() {
            let ratio = cpu(0) / cpu(index);
            let bar = match bars.get(index).copied().flatten() {
                Some(bar) => format!("<= {bar}x: {}", if ratio <= bar { "ok" } else { "MISSED" }),
                None => String::new(),
            };
            println!(
                "| {name:<28} | {:<24} | {:>8.1} | {ratio:>7.2} | {:>9.0} | {:>7.2} | {bar:<15} |",
                way.name,
                cpu(index),
                rate(index),
                rate(0) / rate(index),
            );
        }
        Ok(())
    }

    async fn listens(&self) -> Result {
        let (connection, bus, events) = (self.connection, self.bus, self.args.events);
        for (prefetch, name) in [(100, "listen, prefetch 100"), (1000, "listen, prefetch 1,000")] {
            let ways = [
                Way::twyla(bus, move |bus| twylas::listen(bus, events, prefetch)),
                Way::lapin("lapin, ack each", connection, move |connection| {
                    lapins::listen(connection, events, prefetch, 1)
                }),
                Way::lapin("lapin, one ack for 50", connection, move |connection| {
                    lapins::listen(connection, events, prefetch, 50)
                }),
            ];
            self.work(name, QueueKind::Quorum, (events, true), &ways, &[None, Some(0.25), Some(1.2)]).await?;
        }
        Ok(())
    }

    async fn emits(&self) -> Result {
        let (connection, bus, events) = (self.connection, self.bus, self.args.events);
        for (kind, name) in [(QueueKind::Quorum, "emit, many, quorum"), (QueueKind::Classic, "emit, many, classic")] {
            let ways = [
                Way::twyla(bus, move |bus| twylas::emit_many(bus, events)),
                Way::lapin("lapin, each awaited", connection, move |connection| {
                    lapins::emit_idiomatic(connection, events)
                }),
                Way::lapin("lapin, 50 joined", connection, move |connection| lapins::emit_joined(connection, events)),
            ];
            self.work(name, kind, (events, false), &ways, &[None, Some(0.4), Some(1.2)]).await?;
        }
        let few = (events / 10).max(1);
        let ways = [
            Way::twyla(bus, move |bus| twylas::emit_one_by_one(bus, few)),
            Way::lapin("lapin", connection, move |connection| lapins::emit_one_by_one(connection, few)),
        ];
        self.work("emit, one by one", QueueKind::Quorum, (few, false), &ways, &[None, Some(1.05)]).await
    }

    async fn latencies(&self) -> Result {
        let name = "latency at 1,000 a second";
        if self.args.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return Ok(());
        }
        place::make(self.connection, QueueKind::Quorum).await?;
        let every = Duration::from_millis(1);
        let (mut twyla, mut lapin) = (Vec::new(), Vec::new());
        // in turns, in short rounds, so that both see the same machine
        for _ in 0..self.args.rounds * 4 {
            twyla.extend(tokio::spawn(twylas::latencies(self.bus.clone(), 500, every)).await??);
            lapin.extend(tokio::spawn(lapins::latencies(self.connection.clone(), 500, every)).await??);
        }
        let at = |of: &mut Vec<Duration>, part: f64| {
            of.sort();
            of[(of.len() as f64 * part) as usize].as_secs_f64() * 1e6
        };
        for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
            let (twyla, lapin) = (at(&mut twyla, part), at(&mut lapin, part));
            let ok = if twyla / lapin <= 1.05 { "ok" } else { "MISSED" };
            println!(
                "latency at 1,000 a second, {name}: Twyla {twyla:.0} µs, lapin {lapin:.0} µs, {:.2}x (<= 1.05x: {ok})",
                twyla / lapin
            );
        }
        Ok(())
    }

    async fn memory(&self) -> Result {
        if self.args.only.as_ref().is_some_and(|only| !"memory".contains(only.as_str())) {
            return Ok(());
        }
        let bus = Bus::in_memory();
        let (events, mut took) = (self.args.events, Vec::new());
        for _ in 0..=self.args.rounds {
            let clock = Clock::start();
            tokio::spawn(twylas::through(bus.clone(), events)).await??;
            took.push(clock.took());
        }
        took.sort_by_key(|took| took.cpu);
        let median = took[took.len() / 2];
        println!(
            "memory transport, emit and listen: {:.1} µs CPU for an event, {:.0} events a second",
            median.cpu.as_secs_f64() * 1e6 / f64::from(events),
            f64::from(events) / median.wall.as_secs_f64()
        );
        Ok(())
    }
}

/// Runs ten parts of the events, and reports the memory of this process after each.
async fn flat(connection: &Connection, bus: &Bus, events: u32) -> Result {
    place::make(connection, QueueKind::Quorum).await?;
    println!("| events  | resident, MiB |\n|--------:|--------------:|");
    for part in 1..=10 {
        tokio::spawn(twylas::through(bus.clone(), events / 10)).await??;
        println!("| {:>7} | {:>13.1} |", events / 10 * part, resident_kib()? as f64 / 1024.0);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result {
    let args = Args::parse();
    #[cfg(feature = "seen")]
    {
        if args.seen {
            return seen::table(&args);
        }
        if let Some(way) = &args.seen_as {
            return seen::one(&args, way).await;
        }
    }
    let connection = Arc::new(place::connect().await?);
    let bus = twylas::connect().await?;
    if let Some(events) = args.flat {
        flat(&connection, &bus, events).await?;
        bus.close().await;
        return Ok(connection.close(200, "OK".into()).await?);
    }
    println!("an event has {} bytes; {} of them, {} rounds\n", lapins::body().len(), args.events, args.rounds);
    println!(
        "| work                         | way                      | µs CPU   | x Twyla | a second  | x rate  | bar             |"
    );
    println!(
        "|------------------------------|--------------------------|---------:|--------:|----------:|--------:|-----------------|"
    );
    let bench = Bench { args: &args, connection: &connection, bus: &bus };
    bench.listens().await?;
    bench.emits().await?;
    println!();
    bench.latencies().await?;
    bench.memory().await?;
    println!("peak memory of this process: {} MiB", peak_kib() / 1024);
    bus.close().await;
    Ok(connection.close(200, "OK".into()).await?)
}
