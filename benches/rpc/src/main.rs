//! What a call costs over HTTP: Twyla beside axum and reqwest as one would write them by hand, with serde and no rule held;
//! and beside FastAPI with pydantic.
//!
//! `cargo run --profile service -p twyla-bench-rpc` prints the table, `-- --fastapi PYTHON` with FastAPI in it
//! (fastapi_service.py says what to install), and `-- --overload` what a service does under ten times what it has places for.
//!
//! Each service is a process of its own ([`child`]), whose processor time the system knows; the callers are in this one.
//! [`twylas`] and [`bares`] are the ways; [`capacity`] and [`overload`] are what load generators of Debian's see.

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

/// What a call costs over HTTP.
#[derive(Parser)]
struct Args {
    /// How many calls each way makes in each round.
    #[arg(long, default_value_t = 4_000)]
    calls: u32,
    /// How many of them are under way at once.
    #[arg(long, default_value_t = 32)]
    together: u32,
    /// How often each way has its turn within a start; the medians of all count.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// How often the services and their callers are restarted: how the threads of one come to lie beside those of another
    /// can make more of a difference than the ways do, and stays as it is until they end.
    #[arg(long, default_value_t = 15)]
    starts: usize,
    /// A Python with FastAPI, uvicorn and pydantic, to be measured as well; also with `wrk` from Debian's packages.
    #[arg(long)]
    fastapi: Option<String>,
    /// Nothing but the calls of this way, `twyla` or `bare`, once: for a profiler.
    #[arg(long)]
    only: Option<String>,
    /// Nothing but this: a service under ten times what it has places for, with `hey` from Debian's packages.
    #[arg(long)]
    overload: bool,
    /// Serves that way until its standard input ends: what this program starts for itself.
    #[arg(long, hide = true)]
    serve: Option<String>,
}

/// What one round of a way took, for a call.
#[derive(Clone, Copy)]
struct Took {
    /// Of the processor, in microseconds.
    caller: f64,
    service: f64,
    /// Calls in a second.
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

/// The ways, with services and callers of their own.
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
    // each round by itself: both ways see the same machine
    let ratio = |other: usize, of: fn(&Took) -> f64| {
        median(took[0].iter().zip(&took[other]).map(|(twyla, other)| of(twyla) / of(other)).collect())
    };
    println!();
    let (caller, service, rate) =
        (ratio(1, |took| took.caller), ratio(1, |took| took.service), ratio(1, |took| took.rate));
    let ok = |held: bool| if held { "ok" } else { "MISSED" };
    println!("caller's CPU, Twyla by hand-written: {caller:.2} (<= 1.05: {})", ok(caller <= 1.05));
    println!("service's CPU, Twyla by hand-written: {service:.2} (<= 1.05: {})", ok(service <= 1.05));
    println!("calls a second, Twyla by hand-written: {rate:.2} (>= 0.95: {})", ok(rate >= 0.95));
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
    // reqwest needs a provider, although nothing here is encrypted
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
