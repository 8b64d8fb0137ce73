//! The cost of telemetry: the same works with metrics, and with unsampled traces.
//!
//! Telemetry applies to a whole process, which makes its cost hard to measure: processes differ by more than that,
//! because of the placement of their threads, and so does the machine from minute to minute. So one process of each
//! variant runs at the same time, and they take turns, also before they set up telemetry. The result is the change of
//! the ratio between two variants, in the same rounds.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use lapin::Connection;
use twyla_bench_clock::Clock;
use twyla_runtime::{Bus, QueueKind, telemetry};

use crate::args::Args;
use crate::workload::Result;
use crate::{lapins, place, twylas};

/// A variant: its name, its variables, and its target as a multiple of the variant before it.
type Way = (&'static str, &'static [(&'static str, &'static str)], Option<f64>);

const WAYS: [Way; 3] = [
    ("nothing", &[], None),
    ("metrics", &[], Some(1.05)),
    (
        "metrics, and unsampled traces",
        &[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER", "parentbased_always_off")],
        Some(1.03),
    ),
];
const WORKS: [&str; 2] = ["listen", "emit"];
/// The number of turns of each process for each work, before and after it sets up telemetry; the first one warms up.
const TURNS: usize = 9;

/// The CPU time per event of each work, in each turn.
type Turns = Vec<[f64; 2]>;

/// Prints the table. Each of the `--rounds` starts a new process of each variant.
pub(crate) fn table(args: &Args) -> Result {
    let mut starts: Vec<[[Turns; 2]; 3]> = Vec::new();
    for start in 0..args.rounds {
        let mut processes: Vec<Process> = WAYS.iter().map(|way| Process::start(way, args)).collect::<Result<_>>()?;
        let mut took: [[Turns; 2]; 3] = Default::default();
        for phase in 0..2 {
            for turn in 0..TURNS {
                for at in 0..WAYS.len() {
                    let way = (at + turn + start) % WAYS.len();
                    let numbers = processes[way].asked("work")?;
                    if turn > 0 {
                        took[way][phase].push(numbers);
                    }
                }
            }
            if phase == 0 {
                for process in &mut processes {
                    process.asked("set up")?;
                }
            }
        }
        starts.push(took);
    }
    println!(
        "| work    | set up                            | µs CPU | x nothing | x the row above | from, to     | bar              |"
    );
    println!(
        "|---------|-----------------------------------|-------:|----------:|----------------:|-------------:|------------------|"
    );
    for (work, name) in WORKS.into_iter().enumerate() {
        for (way, (set_up, _, bar)) in WAYS.into_iter().enumerate() {
            let cpu = median(starts.iter().flat_map(|took| took[way][1].iter().map(|turn| turn[work])).collect());
            let by = |other: usize| -> Vec<f64> {
                let more = |took: &[[Turns; 2]; 3], phase: usize| {
                    let turns = took[way][phase].iter().zip(&took[other][phase]);
                    median(turns.map(|(this, other)| this[work] / other[work]).collect())
                };
                let mut by: Vec<f64> = starts.iter().map(|took| more(took, 1) / more(took, 0)).collect();
                by.sort_by(f64::total_cmp);
                by
            };
            let (nothing, above) = (median(by(0)), by(way.saturating_sub(1)));
            // half of the starts are between these
            let quarter = above.len() / 4;
            let spread = format!("{:.3}, {:.3}", above[quarter], above[above.len() - 1 - quarter]);
            let above = median(above);
            let bar = bar
                .map_or_else(String::new, |bar| format!("<= {bar}x: {}", if above <= bar { "ok" } else { "MISSED" }));
            println!(
                "| {name:<7} | {set_up:<33} | {cpu:>6.2} | {nothing:>9.3} | {above:>15.3} | {spread:>12} | {bar:<16} |"
            );
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A process of one variant, which runs works on request.
struct Process {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start((name, variables, _): &Way, args: &Args) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--seen-as", name, "--events", &args.events.to_string()]);
        command.envs(variables.iter().copied()).env("BENCH_LOG_FORMAT", "off");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{name}: it has no pipes").into());
        };
        Ok(Self { child, asks, answers: BufReader::new(answers) })
    }

    fn asked(&mut self, what: &str) -> Result<[f64; 2]> {
        writeln!(self.asks, "{what}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let numbers: Vec<f64> = answer.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        <[f64; 2]>::try_from(numbers).map_err(|_| format!("{what}: it answers {answer:?}").into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs in the process: answers each line of standard input, until there are no more.
pub(crate) async fn one(args: &Args, way: &str) -> Result {
    let connection = Arc::new(place::connect().await?);
    let mut bus = twylas::connect().await?;
    let mut telemetry = None;
    for asked in std::io::stdin().lines() {
        let [listen, emit] = if asked? == "work" {
            works(&connection, &bus, args.events).await?
        } else {
            // applies to buses created afterwards
            bus.close().await;
            if way != "nothing" {
                telemetry = Some(telemetry::init("BENCH")?);
            }
            bus = twylas::connect().await?;
            [0.0; 2]
        };
        println!("{listen} {emit}");
    }
    drop(telemetry);
    bus.close().await;
    Ok(connection.close(200, "OK".into()).await?)
}

async fn works(connection: &Arc<Connection>, bus: &Bus, events: u32) -> Result<[f64; 2]> {
    lapins::filled(connection, QueueKind::Quorum, events).await?;
    let listen = timed(bus, events, |bus| twylas::listen(bus, events, 1000)).await?;
    place::make(connection, QueueKind::Quorum).await?;
    let emit = timed(bus, events, |bus| twylas::emit_many(bus, events)).await?;
    Ok([listen, emit])
}

async fn timed<F: Future<Output = Result> + Send + 'static>(
    bus: &Bus,
    events: u32,
    work: impl FnOnce(Bus) -> F,
) -> Result<f64> {
    let clock = Clock::start();
    // in a task, as in a service
    tokio::spawn(work(bus.clone())).await??;
    Ok(clock.took().cpu.as_secs_f64() * 1e6 / f64::from(events))
}
