//! A producer or a consumer of `cargo xtask chaos`: tells on its standard output, line by line, what was confirmed to it
//! and what it has handled. Both end when their standard input does.
//!
//! The group `two` has its effects in PostgreSQL, in the transaction in which an event is remembered as handled.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use contracts::{Context, chaos::Step};
use sqlx::{Pool, Postgres};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use twyla_runtime::sql::Tx;
use twyla_runtime::{Bus, Config, Dedupe, Error, Meta, listener, listeners};

/// A producer or a consumer of `cargo xtask chaos`.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Emits events, one after another for each key.
    Produce {
        name: String,
        /// How many events in all.
        #[arg(long)]
        events: u32,
        /// Over how many keys.
        #[arg(long)]
        keys: u32,
        /// How many a second, until a line comes on the standard input.
        #[arg(long)]
        rate: u32,
    },
    /// Handles events.
    Consume { group: String },
    /// Makes the table of effects.
    Prepare,
    /// Tells how many effects there are, and how many of them were done again.
    Effects,
}

/// Microseconds since 1970.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros())
}

/// One write for one line, so that nothing of it is lost when the process is killed behind it.
fn tell(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

#[listener("chaos.step", group = "one", prefetch = 100, ordered_by = content.key)]
async fn one(step: Step, meta: Meta) -> io::Result<()> {
    handled(&step, &meta)
}

#[listener("chaos.step", group = "two", prefetch = 100, ordered_by = content.key)]
async fn two(step: Step, meta: Meta, tx: Tx<Postgres>) -> Result<(), Failed> {
    let insert = sqlx::query("INSERT INTO effects (key, seq) VALUES ($1, $2)");
    insert.bind(step.key.clone()).bind(i64::try_from(step.seq)?).execute(&mut *tx.lock().await).await?;
    Ok(handled(&step, &meta)?)
}

/// Whatever went wrong.
type Failed = Box<dyn std::error::Error + Send + Sync>;

fn handled(step: &Step, meta: &Meta) -> io::Result<()> {
    tell(&format!("handled {} {} {} {}", step.key, step.seq, now(), u8::from(meta.redelivered)))
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
    let role = Args::parse().role;
    if let Role::Prepare | Role::Effects = role {
        return effects(matches!(role, Role::Prepare)).await;
    }
    let config = Config::from_env("CHAOS")?.ok_or(Error::Closed)?;
    let patient = Duration::from_secs(600);
    let config =
        config.heartbeat(Duration::from_secs(4)).connect_deadline(Duration::from_secs(5)).emit_deadline(patient);
    let bus = Bus::connect(config).await?;
    let fast = commands();
    match role {
        Role::Produce { name, events, keys, rate } => {
            produce(&bus, &name, events, keys, rate, fast.clone()).await;
            // Until then its memory can be looked at.
            ended(fast).await;
        }
        Role::Consume { group } => {
            let running = match group.as_str() {
                "one" => bus.service().listeners(listeners![one]).start().await?,
                _ => {
                    let dedupe = Dedupe::sql(database().await?).await?;
                    bus.service().dedupe(dedupe).listeners(listeners![two]).start().await?
                }
            };
            let _ = tell("ready");
            ended(fast).await;
            running.stop().await;
        }
        Role::Prepare | Role::Effects => {}
    }
    bus.close().await;
    Ok(())
}

async fn database() -> Result<Pool<Postgres>, Failed> {
    Ok(Pool::connect(&std::env::var("CHAOS_POSTGRES")?).await?)
}

async fn effects(prepare: bool) -> Result<(), Failed> {
    let pool = database().await?;
    if prepare {
        sqlx::raw_sql("CREATE TABLE effects (key text, seq bigint)").execute(&pool).await?;
        return Ok(());
    }
    let count = "SELECT count(*), count(DISTINCT (key, seq)) FROM effects";
    let (all, different): (i64, i64) = sqlx::query_as(count).fetch_one(&pool).await?;
    Ok(tell(&format!("effects {different} {}", all - different))?)
}

/// Whether a line has come on the standard input; closed when that ends.
fn commands() -> watch::Receiver<bool> {
    let (said, fast) = watch::channel(false);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdin()).lines();
        while let Ok(Some(_)) = lines.next_line().await {
            said.send_replace(true);
        }
    });
    fast
}

async fn ended(mut commands: watch::Receiver<bool>) {
    while commands.changed().await.is_ok() {}
}

async fn produce(bus: &Bus, name: &str, events: u32, keys: u32, rate: u32, fast: watch::Receiver<bool>) {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for key in 0..keys {
        let (bus, mut fast) = (bus.clone(), fast.clone());
        let count = events / keys + u32::from(key < events % keys);
        let name = format!("{name}-{key}");
        tasks.spawn(async move {
            for seq in 0..count {
                let due = begun + Duration::from_secs(1) * (seq * keys + key) / rate;
                tokio::select! {
                    () = sleep_until(due) => {}
                    _ = fast.wait_for(|fast| *fast) => {}
                }
                let step = Step::new(name.clone(), "x".repeat(200), u64::from(seq));
                let outcome = bus.emit(step, Context::default()).await;
                let line = match outcome {
                    Ok(()) => format!("confirmed {name} {seq} {}", now()),
                    Err(error) => format!("failed {name} {seq} {error}"),
                };
                if tell(&line).is_err() {
                    return;
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    let _ = tell("done");
}
