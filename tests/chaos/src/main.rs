//! A producer or a consumer of `cargo xtask chaos`: tells on its standard output, line by line, what was confirmed to it
//! and what it has handled. Both end when their standard input does.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use contracts::{Context, chaos::Step};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use twyla_runtime::{Bus, Config, Error, Listeners, Meta, listener, listeners};

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
async fn two(step: Step, meta: Meta) -> io::Result<()> {
    handled(&step, &meta)
}

fn handled(step: &Step, meta: &Meta) -> io::Result<()> {
    tell(&format!("handled {} {} {} {}", step.key, step.seq, now(), u8::from(meta.redelivered)))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
    let config = Config::from_env("CHAOS")?.ok_or(Error::Closed)?;
    let patient = Duration::from_secs(600);
    let config =
        config.heartbeat(Duration::from_secs(4)).connect_deadline(Duration::from_secs(5)).emit_deadline(patient);
    let bus = Bus::connect(config).await?;
    let fast = commands();
    match Args::parse().role {
        Role::Produce { name, events, keys, rate } => produce(&bus, &name, events, keys, rate, fast).await,
        Role::Consume { group } => {
            let listeners: Listeners = if group == "one" { listeners![one] } else { listeners![two] };
            let running = bus.service().listeners(listeners).start().await?;
            let _ = tell("ready");
            ended(fast).await;
            running.stop().await;
        }
    }
    bus.close().await;
    Ok(())
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
