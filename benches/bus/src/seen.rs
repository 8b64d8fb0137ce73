//! What it costs that an operator sees a service: the same works with traces that are not sampled, and with figures.
//!
//! What is set up holds for a whole process, so each way is a process of its own, by turns.

use std::process::Command;

use twyla_bench_clock::Clock;
use twyla_runtime::{Bus, QueueKind, telemetry};

use crate::{Args, Result, place, twylas};

/// What is set up: its name, with which variables, and what it may cost as a multiple of nothing.
type Way = (&'static str, &'static [(&'static str, &'static str)], Option<f64>);

const WAYS: [Way; 3] = [
    ("nothing", &[], None),
    (
        "traces, none sampled",
        &[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER", "parentbased_always_off")],
        Some(1.03),
    ),
    ("figures", &[], Some(1.05)),
];

/// The table.
pub(crate) fn table(args: &Args) -> Result {
    let mut took: [[Vec<f64>; 2]; 3] = Default::default();
    for round in 0..args.rounds {
        for turn in 0..WAYS.len() {
            let way = (turn + round) % WAYS.len();
            let (name, variables, _) = WAYS[way];
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--seen-as", name, "--events", &args.events.to_string()]);
            let output = command.envs(variables.iter().copied()).env("BENCH_LOG_FORMAT", "off").output()?;
            let out = String::from_utf8(output.stdout)?;
            let numbers: Vec<f64> = out.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [listen, emit] = numbers[..] else {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
            };
            took[way][0].push(listen);
            took[way][1].push(emit);
        }
    }
    println!("| work    | set up               | µs CPU | x nothing | bar             |");
    println!("|---------|----------------------|-------:|----------:|-----------------|");
    for (work, name) in ["listen", "emit"].into_iter().enumerate() {
        let mut median = |way: usize| {
            let values = &mut took[way][work];
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let base = median(0);
        for (way, (set_up, _, bar)) in WAYS.into_iter().enumerate() {
            let cpu = median(way);
            let bar = bar.map_or_else(String::new, |bar| {
                format!("<= {bar}x: {}", if cpu / base <= bar { "ok" } else { "MISSED" })
            });
            println!("| {name:<7} | {set_up:<20} | {cpu:>6.2} | {:>9.3} | {bar:<15} |", cpu / base);
        }
    }
    Ok(())
}

/// One process: the CPU of each work for one event, the median of some rounds.
pub(crate) async fn one(args: &Args, way: &str) -> Result {
    let _telemetry = if way == "nothing" { None } else { Some(telemetry::init("BENCH")?) };
    let connection = std::sync::Arc::new(place::connect().await?);
    let bus = twylas::connect().await?;
    let events = args.events;
    let (mut listens, mut emits) = (Vec::new(), Vec::new());
    for round in 0..6 {
        place::filled(&connection, QueueKind::Quorum, events).await?;
        let listen = timed(&bus, events, |bus| twylas::listen(bus, events, 1000)).await?;
        place::make(&connection, QueueKind::Quorum).await?;
        let emit = timed(&bus, events, |bus| twylas::emit_many(bus, events)).await?;
        // the first round warms up
        if round > 0 {
            listens.push(listen);
            emits.push(emit);
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!("{} {}", median(listens), median(emits));
    bus.close().await;
    Ok(connection.close(200, "OK".into()).await?)
}

async fn timed<F: Future<Output = Result> + Send + 'static>(
    bus: &Bus,
    events: u32,
    work: impl FnOnce(Bus) -> F,
) -> Result<f64> {
    let clock = Clock::start();
    tokio::spawn(work(bus.clone())).await??;
    Ok(clock.took().cpu.as_secs_f64() * 1e6 / f64::from(events))
}
