//! Twyla's main job: a line becomes an `api.user_input`, a listener answers with a `bot.reply`, and both are shown.
//!
//! - `cargo run -p chat`: in one process, on the in-memory bus; takes lines typed or piped in, or a short sample;
//! - `cargo run -p chat -- listen` and `cargo run -p chat -- say TEXT`: in two processes over RabbitMQ, which
//!   `EVENT_BUS_AMQP_HOST`, `_PORT`, `_USER`, `_PASS` and `_VHOST` name.
//!
//! For a line that looks like a booking's code (`A1324B`), the bot calls the booking service: in this process, or with
//! `--features http` at `PLATFORM_NAVITAIRE_API_URL` (`cargo run -p booking`).

mod bot;
mod contracts;

use std::env;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use contracts::{Context, api::UserInput};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use tokio::time::timeout;
use twyla_runtime::{Bus, Config, Rpc, Running};

/// The lines for a run without input.
const SAMPLE: [&str; 4] = ["Hello there", "When does the next flight to Lisbon leave?", "A1324B", "Thank you"];

/// The time limit for an answer: calls to an unreachable booking service are retried a few times.
const PATIENCE: Duration = Duration::from_secs(30);

const USAGE: &str = "usage: chat                 talk to the bot in this process
       chat listen          run the bot over RabbitMQ until ctrl-C
       chat say TEXT        send TEXT to the bot, from another process";

#[tokio::main]
async fn main() -> ExitCode {
    #[cfg(feature = "telemetry")]
    let _telemetry = match twyla_runtime::telemetry::init("PLATFORM") {
        Ok(telemetry) => telemetry,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    #[cfg(not(feature = "telemetry"))]
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        [] => talk().await,
        ["listen"] => listen().await,
        ["say", words @ ..] if !words.is_empty() => say(&words.join(" ")).await,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs both sides in this process, on the in-memory bus.
async fn talk() -> Result<(), Box<dyn std::error::Error>> {
    let bus = Bus::in_memory();
    let (rpc, bookings) = bookings(&bus).await?;
    let (shown, mut replies) = mpsc::unbounded_channel();
    let service = bus.service().state::<bot::Shown>(shown).rpc(rpc).listeners(bot::listeners());
    let running = service.start().await?;

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    if std::io::stdin().is_terminal() {
        println!("Say something to the bot; ctrl-D ends.");
    }
    let mut sample = SAMPLE.iter();
    let mut next = lines.next_line().await?.or_else(|| sample.next().map(|line| (*line).to_owned()));
    let typed = sample.len() == SAMPLE.len();
    while let Some(line) = next {
        match bus.emit(UserInput::new(line), context()).await {
            Ok(()) if timeout(PATIENCE, replies.recv()).await.is_err() => {
                eprintln!("the bot did not answer within {PATIENCE:?}");
            }
            Ok(()) => {}
            // an empty line breaks the contract; go on with the next one
            Err(error) if error.refusal().is_some() => eprintln!("{error}"),
            Err(error) => return Err(error.into()),
        }
        next = if typed { lines.next_line().await? } else { sample.next().map(|line| (*line).to_owned()) };
    }
    running.stop().await;
    bookings.stop().await;
    Ok(())
}

/// The caller of the booking service, which runs in this process unless a variable names its address.
async fn bookings(bus: &Bus) -> Result<(Rpc, Running), Box<dyn std::error::Error>> {
    let rpc = Rpc::from_env("PLATFORM")?;
    let mut service = bus.service();
    if rpc.is_in_memory() {
        service = service.state(booking::Bookings::demo()).rpcs(booking::rpcs()).rpc(rpc.clone());
    }
    Ok((rpc, service.start().await?))
}

/// Runs the bot as a service.
async fn listen() -> Result<(), Box<dyn std::error::Error>> {
    let bus = broker().await?;
    let (rpc, _bookings) = bookings(&bus).await?;
    let (shown, _) = mpsc::unbounded_channel();
    let running = bus.service().state::<bot::Shown>(shown).rpc(rpc).listeners(bot::listeners()).start().await?;
    println!("the bot listens; ctrl-C ends");
    Ok(running.run().await?)
}

/// Sends one line to a bot in another process.
async fn say(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let bus = broker().await?;
    bus.emit(UserInput::new(text), context()).await?;
    println!("said: {text}");
    Ok(())
}

/// Two processes need a broker, so an in-memory bus is an error.
async fn broker() -> Result<Bus, Box<dyn std::error::Error>> {
    match Config::from_env("EVENT_BUS")? {
        Some(config) => Ok(Bus::connect(config).await?),
        None => Err(
            "`listen` and `say` need a broker: set EVENT_BUS_AMQP_HOST, EVENT_BUS_AMQP_USER and EVENT_BUS_AMQP_PASS \
                     (or talk to the bot in one process: cargo run -p chat)"
                .into(),
        ),
    }
}

fn context() -> Context {
    Context { user: env::var("USER").ok().filter(|user| !user.is_empty()), ..Context::new("terminal") }
}
