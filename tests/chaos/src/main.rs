//! A producer or a consumer of `cargo xtask chaos`: reports each confirmed and each handled event as a line on standard
//! output. Both end when their standard input does.
//!
//! The group `two` writes to PostgreSQL, in the transaction that records an event as handled, and so does `three`, in batches.
//!
//! Two modules cause faults: [`broken`] publishes events that break their contract, and [`mod@full`] keeps a queue that
//! accepts no events.

mod broken;
mod full;
mod report;

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::io;
use std::time::Duration;

use clap::{Parser, Subcommand};
use contracts::{Context, chaos::Step};
use report::{Failed, now, report};
use sqlx::pool::PoolOptions;
use sqlx::{Pool, Postgres};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use twyla_runtime::sql::Tx;
use twyla_runtime::{Batch, Bus, Config, Dedupe, Error, Meta, listener, listeners, telemetry};

/// A producer or a consumer of `cargo xtask chaos`.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Emits events, in order within each key.
    Produce {
        name: String,
        /// The total number of events.
        #[arg(long)]
        events: u32,
        /// The number of keys.
        #[arg(long)]
        keys: u32,
        /// Events per second, until a line arrives on standard input.
        #[arg(long)]
        rate: u32,
    },
    /// Emits one event for each key, whose handlers take this many seconds.
    ProduceSlow {
        name: String,
        #[arg(long)]
        keys: u32,
        #[arg(long)]
        seconds: u32,
    },
    /// Publishes events that break their contract.
    ProduceBroken {
        name: String,
        #[arg(long)]
        events: u32,
    },
    /// Handles events.
    Consume {
        group: String,
        /// The number of database connections.
        #[arg(long, default_value_t = 10)]
        pool: u32,
    },
    /// Keeps a queue that accepts no events.
    Full,
    /// Creates the table of effects.
    Prepare,
    /// Reports the number of effects, and the repeated ones.
    Effects,
    /// Reports the number of dead-lettered events.
    Dead,
}

#[listener("chaos.step", group = "one", prefetch = 100, ordered_by = content.key)]
async fn one(step: Step, meta: Meta) -> io::Result<()> {
    take_time(&step).await;
    handled(&step, &meta)
}

#[listener("chaos.step", group = "two", prefetch = 100, ordered_by = content.key)]
async fn two(step: Step, meta: Meta, tx: Tx<Postgres>) -> Result<(), Failed> {
    let insert = sqlx::query("INSERT INTO effects (key, seq) VALUES ($1, $2)");
    insert.bind(step.key.clone()).bind(i64::try_from(step.seq)?).execute(&mut *tx.lock().await).await?;
    take_time(&step).await;
    Ok(handled(&step, &meta)?)
}

#[listener("chaos.step", group = "three", batch = 20, within = "50ms", ordered_by = content.key)]
async fn three(steps: Batch<Step>, tx: Tx<Postgres>) -> Result<(), Failed> {
    let keys: Vec<_> = steps.iter().map(|step| step.content.key.clone()).collect();
    let numbers: Vec<_> = steps.iter().map(|step| i64::try_from(step.content.seq)).collect::<Result<_, _>>()?;
    let insert = sqlx::query("INSERT INTO batch_effects (key, seq) SELECT * FROM unnest($1::text[], $2::bigint[])");
    insert.bind(keys).bind(numbers).execute(&mut *tx.lock().await).await?;
    if let Some(slow) = steps.iter().find(|step| step.content.padding.starts_with(SLOW)) {
        take_time(&slow.content).await;
    }
    for step in &steps {
        handled(&step.content, &step.meta)?;
    }
    Ok(())
}

/// Prefix of the padding of slow events, followed by the duration in seconds.
const SLOW: &str = "slow ";

async fn take_time(step: &Step) {
    if let Some(seconds) = step.padding.strip_prefix(SLOW).and_then(|seconds| seconds.parse().ok()) {
        sleep(Duration::from_secs(seconds)).await;
    }
}

fn handled(step: &Step, meta: &Meta) -> io::Result<()> {
    report(&format!("handled {} {} {} {}", step.key, step.seq, now(), u8::from(meta.redelivered)))
}

#[tokio::main]
async fn main() {
    // A runtime that shuts down would wait for the read of standard input.
    let code = match run().await {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("ended: {error}");
            1
        }
    };
    std::process::exit(code);
}

async fn run() -> Result<(), Failed> {
    let telemetry = telemetry::init("CHAOS")?;
    let role = Args::parse().role;
    if let Role::Prepare | Role::Effects = role {
        return effects(matches!(role, Role::Prepare)).await;
    }
    if let Role::Full = role {
        return full::full(ended(commands())).await;
    }
    let config = Config::from_env("CHAOS")?.ok_or(Error::Closed)?;
    // Requeued events stay unacked while their queue refuses them.
    let patient = Duration::from_secs(if let Role::Consume { .. } = role { 2 } else { 600 });
    let config =
        config.heartbeat(Duration::from_secs(4)).connect_deadline(Duration::from_secs(5)).emit_deadline(patient);
    let config = config.app_id(std::env::var("CHAOS_NAME")?);
    let bus = Bus::connect(config).await?;
    let fast = commands();
    match role {
        Role::Produce { name, events, keys, rate } => {
            let producing = async {
                produce(&bus, &name, events, keys, rate, "x".repeat(200), fast.clone()).await;
                let _ = report("done");
                // Its memory can be measured.
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = producing => {}
                () = ended(fast.clone()) => {}
            }
        }
        Role::ProduceSlow { name, keys, seconds } => {
            produce(&bus, &name, keys, keys, keys, format!("{SLOW}{seconds}"), fast).await;
        }
        Role::ProduceBroken { name, events } => broken::publish(&bus, &name, events).await?,
        Role::Dead => broken::dead(&bus).await?,
        Role::Consume { group, pool } => {
            let running = match group.as_str() {
                "one" => bus.service().listeners(listeners![one]).start().await?,
                group => {
                    let dedupe = Dedupe::sql(database(pool).await?).await?;
                    let listeners = if group == "two" { listeners![two] } else { listeners![three] };
                    bus.service().dedupe(dedupe).listeners(listeners).start().await?
                }
            };
            let _ = report("ready");
            ended(fast).await;
            running.stop().await;
        }
        Role::Prepare | Role::Effects | Role::Full => {}
    }
    bus.close().await;
    telemetry.shutdown();
    Ok(())
}

async fn database(connections: u32) -> Result<Pool<Postgres>, Failed> {
    let url = std::env::var("CHAOS_POSTGRES")?;
    Ok(PoolOptions::new().max_connections(connections).connect(&url).await?)
}

async fn effects(prepare: bool) -> Result<(), Failed> {
    let pool = database(1).await?;
    if prepare {
        let tables = "CREATE TABLE effects (key text, seq bigint); CREATE TABLE batch_effects (key text, seq bigint)";
        sqlx::raw_sql(tables).execute(&pool).await?;
        return Ok(());
    }
    // of the group that has fewer
    let count = "SELECT least((SELECT count(DISTINCT (key, seq)) FROM effects), \
                 (SELECT count(DISTINCT (key, seq)) FROM batch_effects))";
    let (different,): (i64,) = sqlx::query_as(count).fetch_one(&pool).await?;
    report(&format!("effects {different}"))?;
    let again = "SELECT key, seq FROM effects GROUP BY key, seq HAVING count(*) > 1 UNION \
                 SELECT key, seq FROM batch_effects GROUP BY key, seq HAVING count(*) > 1";
    for (key, seq) in sqlx::query_as::<_, (String, i64)>(again).fetch_all(&pool).await? {
        report(&format!("twice {key} {seq}"))?;
    }
    Ok(())
}

/// Whether a line has arrived on standard input; closed when that ends.
fn commands() -> watch::Receiver<bool> {
    let (sender, fast) = watch::channel(false);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdin()).lines();
        while let Ok(Some(_)) = lines.next_line().await {
            sender.send_replace(true);
        }
    });
    fast
}

async fn ended(mut commands: watch::Receiver<bool>) {
    while commands.changed().await.is_ok() {}
}

/// Emits an event until it is confirmed, again and again if the user lacks a right. Each attempt has a new id: it is
/// reported if an earlier one may have been sent.
async fn emit(bus: &Bus, step: &Step) -> Result<(), Error> {
    loop {
        match bus.emit(step.clone(), Context::default()).await {
            Err(Error::Refused { maybe_sent, .. }) => {
                if maybe_sent {
                    let _ = report(&format!("again {} {}", step.key, step.seq));
                }
                sleep(Duration::from_millis(200)).await;
            }
            outcome => return outcome,
        }
    }
}

async fn produce(
    bus: &Bus,
    name: &str,
    events: u32,
    keys: u32,
    rate: u32,
    padding: String,
    fast: watch::Receiver<bool>,
) {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for key in 0..keys {
        let (bus, mut fast) = (bus.clone(), fast.clone());
        let count = events / keys + u32::from(key < events % keys);
        let (name, padding) = (format!("{name}-{key}"), padding.clone());
        tasks.spawn(async move {
            for seq in 0..count {
                let due = begun + Duration::from_secs(1) * (seq * keys + key) / rate;
                tokio::select! {
                    () = sleep_until(due) => {}
                    _ = fast.wait_for(|fast| *fast) => {}
                }
                let step = Step::new(name.clone(), padding.clone(), u64::from(seq));
                let line = match emit(&bus, &step).await {
                    Ok(()) => format!("confirmed {name} {seq} {}", now()),
                    Err(error) => format!("failed {name} {seq} {error}"),
                };
                if report(&line).is_err() {
                    return;
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}
