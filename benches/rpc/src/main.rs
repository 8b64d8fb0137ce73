//! Measures the cost of a call over HTTP: Twyla compared with handwritten axum and reqwest (serde, no rules checked),
//! and with FastAPI and pydantic.
//!
//! `cargo run --profile service -p twyla-bench-rpc` prints the table, `-- --fastapi PYTHON` includes FastAPI
//! (fastapi_service.py says what to install), and `-- --overload` loads a service with ten times its capacity.
//!
//! Each service is a process of its own ([`child`]), whose CPU time the system reports; the callers are in this one.
//! [`twylas`] and [`bares`] are the variants; [`capacity`] and [`overload`] use load generators of Debian.

mod contracts {
    twyla_runtime::include_contracts!();
}
mod bares;
mod capacity;
mod child;
mod measure;
mod overload;
mod twylas;
mod way;

use clap::Parser;
use twyla_bench_clock::Clock;

use measure::{Result, median};
use way::Way;

/// Measures the cost of a call over HTTP.
#[derive(Parser)]
struct Args {
    /// The number of calls of each variant in each round.
    #[arg(long, default_value_t = 4_000)]
    calls: u32,
    /// The number of concurrent calls.
    #[arg(long, default_value_t = 32)]
    together: u32,
    /// The number of turns of each variant within a start; the medians of all turns count.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// The number of restarts of services and callers: the placement of their threads can make more of a difference
    /// than the variants do, and lasts until they end.
    #[arg(long, default_value_t = 15)]
    starts: usize,
    /// A Python with FastAPI, uvicorn and pydantic, to measure as well; also with `wrk` from Debian's packages.
    #[arg(long)]
    fastapi: Option<String>,
    /// Only runs the calls of this variant, `twyla` or `bare`, once, for a profiler.
    #[arg(long)]
    only: Option<String>,
    /// Only loads a service with ten times its capacity, with `hey` from Debian's packages.
    #[arg(long)]
    overload: bool,
    /// Serves this variant until its standard input ends: the program starts itself with this option.
    #[arg(long, hide = true)]
    serve: Option<String>,
}

/// The cost of one call in one round of a variant.
#[derive(Clone, Copy)]
struct Took {
    /// CPU time, in microseconds.
    caller: f64,
    service: f64,
    /// Calls per second.
    rate: f64,
}

async fn round(way: &Way, args: &Args) -> Result<Took> {
    let (before, clock) = (way.service.cpu()?, Clock::start());
    (way.calls)(args.calls, args.together).await?;
    let (took, after) = (clock.took(), way.service.cpu()?);
    let calls = f64::from(args.calls);
    Ok(Took {
        caller: took.cpu.as_secs_f64() * 1e6 / calls,
        service: (after - before).as_secs_f64() * 1e6 / calls,
        rate: calls / took.wall.as_secs_f64(),
    })
}

/// The variants, each with its services and callers.
async fn started(args: &Args, bare_first: bool) -> Result<Vec<Way>> {
    let mut ways = if bare_first {
        let bare = bares::way().await?;
        vec![twylas::way().await?, bare]
    } else {
        vec![twylas::way().await?, bares::way().await?]
    };
    if let Some(python) = &args.fastapi {
        ways.extend([bares::fastapi(python).await?, twylas::with_one_worker().await?]);
    }
    Ok(ways)
}

async fn table(args: &Args) -> Result {
    let mut names = Vec::new();
    let mut took: Vec<Vec<Took>> = Vec::new();
    for start in 0..args.starts {
        let ways = started(args, start % 2 == 1).await?;
        names = ways.iter().map(|way| way.name).collect();
        took.resize_with(ways.len(), Vec::new);
        for number in 0..=args.rounds {
            for turn in 0..ways.len() {
                let index = (turn + number) % ways.len();
                let took_now = round(&ways[index], args).await?;
                // the first round warms up
                if number > 0 {
                    took[index].push(took_now);
                }
            }
        }
    }
    let Args { calls, together, rounds, starts, .. } = args;
    println!("{calls} calls in a round, {together} together, {rounds} rounds by turns in each of {starts} starts\n");
    println!("| way                             | caller, µs CPU | service, µs CPU | calls a second |");
    println!("|---------------------------------|---------------:|----------------:|---------------:|");
    for (name, took) in names.iter().zip(&took) {
        let of = |value: fn(&Took) -> f64| median(took.iter().map(value).collect());
        println!(
            "| {:<31} | {:>14.1} | {:>15.1} | {:>14.0} |",
            name,
            of(|took| took.caller),
            of(|took| took.service),
            of(|took| took.rate)
        );
    }
    // each round separately, so that both variants see the same machine
    let ratio = |other: usize, of: fn(&Took) -> f64| {
        median(took[0].iter().zip(&took[other]).map(|(twyla, other)| of(twyla) / of(other)).collect())
    };
    println!();
    let (caller, service, rate) =
        (ratio(1, |took| took.caller), ratio(1, |took| took.service), ratio(1, |took| took.rate));
    let ok = |held: bool| if held { "ok" } else { "MISSED" };
    println!("caller's CPU, Twyla by hand-written: {caller:.2} (<= 1.15: {})", ok(caller <= 1.15));
    println!("service's CPU, Twyla by hand-written: {service:.2} (<= 1.15: {})", ok(service <= 1.15));
    println!("calls a second, Twyla by hand-written: {rate:.2} (>= 0.87: {})", ok(rate >= 0.87));
    if args.fastapi.is_some() {
        let by = |twyla: usize| {
            median(took[twyla].iter().zip(&took[2]).map(|(twyla, fastapi)| fastapi.service / twyla.service).collect())
        };
        let (one, all) = (by(3), by(0));
        println!("calls in a second of the service's CPU, Twyla by FastAPI:");
        println!("  one worker each, as a process of uvicorn has: {one:.1} (>= 10: {})", ok(one >= 10.0));
        println!("  a worker of Twyla's for each core, which wake one another: {all:.1} (>= 10: {})", ok(all >= 10.0));
    }
    args.fastapi.as_deref().map_or(Ok(()), capacity::run)
}

async fn only(args: &Args) -> Result {
    let way = if args.only.as_deref() == Some("bare") { bares::way().await? } else { twylas::way().await? };
    let Took { caller, service, rate } = round(&way, args).await?;
    println!("{}: caller {caller:.1} µs, service {service:.1} µs, {rate:.0} calls a second", way.name);
    Ok(())
}

#[tokio::main]
async fn main() -> Result {
    let args = Args::parse();
    // reqwest requires a provider, although nothing here is encrypted
    let _ = rustls::crypto::ring::default_provider().install_default();
    match args.serve.as_deref() {
        Some("twyla") => twylas::serve().await,
        Some("bare") => bares::serve().await,
        Some("waiting") => overload::serve(false).await,
        Some("working") => overload::serve(true).await,
        Some(other) => Err(format!("nothing serves {other}").into()),
        None if args.only.is_some() => only(&args).await,
        None if args.overload => overload::run().await,
        None => table(&args).await,
    }
}
