//! What it costs that an operator sees a service: the same works with traces that are not sampled, and with figures.
//!
//! What is set up holds for a whole process, and processes differ by more than is looked for here, as their threads lie
//! differently. So each process works as long before it sets up its way as after, and what counts is the second by the first;
//! of those where nothing is set up in between too, as what comes later may be faster by itself.

use std::process::Command;

use twyla_bench_clock::Clock;
use twyla_runtime::{Bus, QueueKind, telemetry};

use crate::{Args, Result, place, twylas};

/// What is set up: its name, with which variables, and what it may cost, as a multiple of the way before it.
type Way = (&'static str, &'static [(&'static str, &'static str)], Option<f64>);

const WAYS: [Way; 3] = [
    ("nothing", &[], None),
    ("figures", &[], Some(1.05)),
    (
        "figures, and traces, none sampled",
        &[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER", "parentbased_always_off")],
        Some(1.03),
    ),
];

/// The table.
pub(crate) fn table(args: &Args) -> Result {
    let mut took: [[Vec<[f64; 2]>; 2]; 3] = Default::default();
    for round in 0..args.rounds {
        for turn in 0..WAYS.len() {
            let way = (turn + round) % WAYS.len();
            let (name, variables, _) = WAYS[way];
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--seen-as", name, "--events", &args.events.to_string()]);
            let output = command.envs(variables.iter().copied()).env("BENCH_LOG_FORMAT", "off").output()?;
            let out = String::from_utf8(output.stdout)?;
            let numbers: Vec<f64> = out.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [listen_before, listen, emit_before, emit] = numbers[..] else {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
            };
            took[way][0].push([listen_before, listen]);
            took[way][1].push([emit_before, emit]);
        }
    }
    println!(
        "| work    | set up                            | µs CPU | x nothing | x the row above | bar              |"
    );
    println!(
        "|---------|-----------------------------------|-------:|----------:|----------------:|------------------|"
    );
    for (work, name) in ["listen", "emit"].into_iter().enumerate() {
        let mut rows: Vec<f64> = Vec::new();
        for (way, (set_up, _, bar)) in WAYS.into_iter().enumerate() {
            let took = &took[way][work];
            let cpu = median(took.iter().map(|[_, after]| *after).collect());
            let by = median(took.iter().map(|[before, after]| after / before).collect());
            let (first, last) = (*rows.first().unwrap_or(&by), *rows.last().unwrap_or(&by));
            rows.push(by);
            let (nothing, above) = (by / first, by / last);
            let bar = bar
                .map_or_else(String::new, |bar| format!("<= {bar}x: {}", if above <= bar { "ok" } else { "MISSED" }));
            println!("| {name:<7} | {set_up:<33} | {cpu:>6.2} | {nothing:>9.3} | {above:>15.3} | {bar:<16} |");
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One process: the CPU of each work for one event, before the way is set up and after.
pub(crate) async fn one(args: &Args, way: &str) -> Result {
    let connection = std::sync::Arc::new(place::connect().await?);
    let [listen_before, emit_before] = works(&connection, args.events).await?;
    let _telemetry = if way == "nothing" { None } else { Some(telemetry::init("BENCH")?) };
    let [listen, emit] = works(&connection, args.events).await?;
    println!("{listen_before} {listen} {emit_before} {emit}");
    Ok(connection.close(200, "OK".into()).await?)
}

/// The medians of some rounds.
async fn works(connection: &std::sync::Arc<lapin::Connection>, events: u32) -> Result<[f64; 2]> {
    let bus = twylas::connect().await?;
    let (mut listens, mut emits) = (Vec::new(), Vec::new());
    for round in 0..6 {
        place::filled(connection, QueueKind::Quorum, events).await?;
        let listen = timed(&bus, events, |bus| twylas::listen(bus, events, 1000)).await?;
        place::make(connection, QueueKind::Quorum).await?;
        let emit = timed(&bus, events, |bus| twylas::emit_many(bus, events)).await?;
        // the first round warms up
        if round > 0 {
            listens.push(listen);
            emits.push(emit);
        }
    }
    bus.close().await;
    Ok([median(listens), median(emits)])
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
