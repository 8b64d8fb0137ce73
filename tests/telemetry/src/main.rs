//! A service with telemetry: `emit` emits an event, `answer` handles it and fails once, in one process or in two;
//! `call` calls an RPC over HTTP, and `refuse` refuses calls; `old` handles an event whose session is a text.

mod calls;
mod contracts {
    twyla_runtime::include_contracts!();
}

use std::error::Error;
use std::time::Duration;

use contracts::{Context, api::UserInput, bot::Reply};
use tokio::io::{AsyncReadExt, stdin};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use twyla_runtime::__private::publish_raw;
use twyla_runtime::{Bus, Fail, Meta, State, listener, listeners, session_id, telemetry};

/// Receives a message when a handler ends.
type Ends = State<UnboundedSender<&'static str>>;

#[listener("api.user_input", group = "bot")]
async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Fail> {
    tracing::info!(letters = input.emission.len(), level = 3, "thinking");
    let text = think(&input.emission).await;
    bus.emit(Reply::new(text), context).await?;
    Ok(())
}

#[tracing::instrument(skip(emission))]
async fn think(emission: &str) -> String {
    tokio::task::yield_now().await;
    format!("you said {emission}")
}

#[listener("bot.reply", group = "screen")]
async fn show(_: Reply, State(ended): Ends) {
    let _ = ended.send("shown");
}

#[listener("api.user_input", group = "clumsy", retry = "2x 1100ms..1100ms")]
async fn stumble(_: UserInput, meta: Meta, State(ended): Ends) -> Result<(), Fail> {
    if meta.attempt == 2 {
        let _ = ended.send("stumbled");
    }
    Err(Fail::retry("stumbled over it"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = telemetry::init("SEEN")?;
    let bus = Bus::from_env("SEEN").await?;
    let role = std::env::args().nth(1).unwrap_or_default();
    let (ended, mut ends) = mpsc::unbounded_channel();
    let mut running = None;
    if role == "call" {
        calls::run(&bus).await?;
    } else if role == "refuse" {
        calls::refuse(&bus).await?;
    } else if role != "emit" {
        let service = bus.service().state(ended).listeners(listeners![answer, show, stumble]);
        let service = service.operations("127.0.0.1:0").start().await?;
        println!("ready {}", service.operations().ok_or("no address")?);
        running = Some(service);
    }
    if role == "old" {
        let old = r#"{"event_name":"api.user_input","content":{"emission":"hello"},"context":{"channel":"web"},
            "meta":{"version":"1.0","timestamp":"2020-02-03T04:05:06","session_id":"a session"}}"#;
        publish_raw(&bus, "api", "user_input", old).await?;
    } else if !matches!(&*role, "answer" | "call" | "refuse") {
        let input = UserInput::new("hello, nobody's business".to_owned());
        bus.with_session(session_id("a session")).emit(input, Context::new("web".to_owned())).await?;
    }
    if let Some(running) = running {
        all(&mut ends).await;
        // The last attempt is dead-lettered after its handler has ended.
        while bus.count_dead_letters("api.user_input", "clumsy").await? == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if role == "stay" {
            stdin().read_to_end(&mut Vec::new()).await?;
        }
        running.stop().await;
    }
    bus.close().await;
    println!("{}", telemetry.prometheus());
    telemetry.shutdown();
    Ok(())
}

async fn all(ends: &mut UnboundedReceiver<&'static str>) {
    let mut left = vec!["shown", "stumbled"];
    while !left.is_empty()
        && let Some(end) = ends.recv().await
    {
        left.retain(|wanted| *wanted != end);
    }
}
