//! Measures inserts into PostgreSQL through a listener with `batch = 500`, beside listeners that insert one by one.
//!
//! `cargo xtask with-broker cargo run --release -p twyla-bench-batch` prints the table. The events wait in a quorum queue when a
//! service starts. The CPU time is that of this process, without PostgreSQL and RabbitMQ.

mod contracts {
    twyla_runtime::include_contracts!();
}
mod handlers;

use clap::Parser;
use contracts::{Context, api::UserInput};
use handlers::Rows;
use sqlx::pool::PoolOptions;
use sqlx::{Pool, Postgres};
use tokio::task::JoinSet;
use twyla_bench_clock::{Clock, Took};
use twyla_runtime::{Bus, Config, Dedupe, Listeners, Running, listeners};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures inserts through a batch listener, beside one by one.
#[derive(Parser)]
struct Args {
    /// The number of events in each run.
    #[arg(long, default_value_t = 10_000)]
    events: usize,
    /// The number of measured runs of each listener, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// How many times as many events a second a batch listener should insert as one that inserts one by one.
const BAR: f64 = 10.0;

struct Way {
    name: &'static str,
    listeners: fn() -> Listeners,
    is_batch: bool,
    with_dedupe: bool,
}

const WAYS: [Way; 6] = [
    Way { name: "one by one", listeners: || listeners![handlers::one], is_batch: false, with_dedupe: false },
    Way {
        name: "one by one, 10 at once",
        listeners: || listeners![handlers::ten],
        is_batch: false,
        with_dedupe: false,
    },
    Way { name: "batch = 500", listeners: || listeners![handlers::batch], is_batch: true, with_dedupe: false },
    Way { name: "`Tx`, one by one", listeners: || listeners![handlers::one_tx], is_batch: false, with_dedupe: true },
    Way {
        name: "`Tx`, one by one, 10 at once",
        listeners: || listeners![handlers::ten_tx],
        is_batch: false,
        with_dedupe: true,
    },
    Way { name: "`Tx`, batch = 500", listeners: || listeners![handlers::batch_tx], is_batch: true, with_dedupe: true },
];

#[tokio::main]
async fn main() -> Result {
    let args = Args::parse();
    let config = Config::from_env("TWYLA_TEST")?.ok_or("run it with `cargo xtask with-broker`")?;
    let bus = Bus::connect(config).await?;
    let pool = PoolOptions::new().max_connections(10).connect(&std::env::var("TWYLA_TEST_POSTGRES")?).await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS bench_inputs (emission text)").execute(&pool).await?;
    let mut took: Vec<Vec<Took>> = WAYS.iter().map(|_| Vec::new()).collect();
    for round in 0..=args.rounds {
        for (way, took) in WAYS.iter().zip(&mut took) {
            let run = measured(&bus, &pool, way, args.events).await?;
            // the first round warms up
            if round > 0 {
                took.push(run);
            }
        }
    }
    println!(
        "| {:<28} | events/s | times | CPU, µs/event | times | bar |",
        format!("{} events in each run", args.events)
    );
    println!("|---|--:|--:|--:|--:|---|");
    for (group, took) in WAYS.chunks(3).zip(took.chunks(3)) {
        let (rate, cpu) = (|took| median(took, &rate), |took| median(took, &cpu));
        for (way, runs) in group.iter().zip(took) {
            let (of, per) = (args.events as f64 * rate(runs), cpu(runs) / args.events as f64);
            let times = rate(runs) / rate(&took[0]);
            let bar = match (way.is_batch, times >= BAR) {
                (false, _) => String::new(),
                (true, true) => format!("≥ {BAR}x: ok"),
                (true, false) => format!("≥ {BAR}x: missed"),
            };
            println!(
                "| {:<28} | {of:>8.0} | {times:>5.1} | {per:>13.1} | {:>5.2} | {bar} |",
                way.name,
                cpu(runs) / cpu(&took[0]),
            );
        }
    }
    bus.close().await;
    Ok(())
}

/// The inverse of the time, in 1/s.
fn rate(took: &Took) -> f64 {
    1.0 / took.wall.as_secs_f64()
}

fn cpu(took: &Took) -> f64 {
    took.cpu.as_secs_f64() * 1e6
}

fn median(took: &[Took], of: &dyn Fn(&Took) -> f64) -> f64 {
    let mut values: Vec<_> = took.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Lets `events` events wait in the queue, and measures a service that inserts them.
async fn measured(bus: &Bus, pool: &Pool<Postgres>, way: &Way, events: usize) -> Result<Took> {
    let rows = Rows::default();
    // makes the queue
    service(bus, pool, way, &rows).await?.stop().await;
    let mut emits = JoinSet::new();
    for n in 0..events {
        let bus = bus.clone();
        emits.spawn(async move {
            let text =
                format!("I would like to change seat {n} of my booking from Berlin to Lisbon, by the window, please.");
            bus.emit(UserInput::new(text), Context::new("web".to_owned())).await
        });
        if emits.len() >= 1000 {
            emits.join_next().await.ok_or("no emit")???;
        }
    }
    while let Some(emitted) = emits.join_next().await {
        emitted??;
    }
    sqlx::raw_sql("TRUNCATE bench_inputs").execute(pool).await?;
    let clock = Clock::start();
    let running = service(bus, pool, way, &rows).await?;
    rows.until(events).await;
    running.stop().await;
    let took = clock.took();
    let (inserted,): (i64,) = sqlx::query_as("SELECT count(*) FROM bench_inputs").fetch_one(pool).await?;
    if usize::try_from(inserted)? != events {
        return Err(format!("{inserted} rows of {events} events").into());
    }
    Ok(took)
}

/// Starts a service with the listener. All listeners have the same group, and so the same queue.
async fn service(bus: &Bus, pool: &Pool<Postgres>, way: &Way, rows: &Rows) -> Result<Running> {
    let mut service = bus.service().state(pool.clone()).state(rows.clone()).listeners((way.listeners)());
    if way.with_dedupe {
        service = service.dedupe(Dedupe::sql(pool.clone()).await?);
    }
    Ok(service.start().await?)
}
