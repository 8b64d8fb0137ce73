//! A service that fails in each way that a handler can, chosen by the text of its event. The tests are in `tests/`.

// the doc examples of the page run here, because this package has contracts
#[cfg(doctest)]
#[doc = include_str!("../../../twyla-runtime/docs/testing.md")]
pub struct Page;

/// The demo platform's contracts.
pub mod contracts {
    #![allow(missing_docs, unreachable_pub, reason = "they are generated")]
    twyla_runtime::include_contracts!();
}

use std::time::Duration;

use contracts::Context;
use contracts::api::UserInput;
use contracts::bot::Reply;
use twyla_runtime::{Batch, Bus, Fail, Listeners, Meta, listener, listeners};

/// The service's listeners.
pub fn listeners() -> Listeners {
    listeners![answer, in_turn, one_at_a_time, echo]
}

/// Answers after a while.
#[listener("api.user_input", group = "bot", retry = "5x 1s..10s")]
async fn answer(input: UserInput, context: Context, meta: Meta, bus: Bus) -> Result<(), Fail> {
    match input.emission.as_str() {
        "never" => return Err(Fail::retry("no database")),
        "at the third attempt" if meta.attempt < 3 => return Err(Fail::retry("no database yet")),
        "park it" => return Err(Fail::park("nobody knows what that is")),
        "panic" if meta.attempt == 1 => panic!("out of cheese"),
        "later" if meta.attempt == 1 => return Err(Fail::retry_after(std::time::Duration::from_secs(7200), "not now")),
        "silence" => return Ok(()),
        "hang" => std::future::pending().await,
        _ => {}
    }
    bus.emit(Reply::new(format!("you said {}", input.emission)), context).await?;
    Ok(())
}

/// Ordered by channel; fails once per event if its text asks for it.
#[listener("api.user_input", group = "in_turn", ordered_by = context.channel, retry = "3x 2s..2s")]
async fn in_turn(input: UserInput, meta: Meta) -> Result<(), Fail> {
    match input.emission.starts_with("once") && meta.attempt == 1 {
        true => Err(Fail::retry("once")),
        false => Ok(()),
    }
}

/// Runs one handler at a time, also during a short pause.
#[listener("api.user_input", group = "one", concurrency = 1, retry = "2x 500ms..500ms")]
async fn one_at_a_time(input: UserInput, meta: Meta) -> Result<(), Fail> {
    match input.emission.starts_with("once") && meta.attempt == 1 {
        true => Err(Fail::retry("once")),
        false => Ok(()),
    }
}

/// The listener of batches.
pub fn batched() -> Listeners {
    listeners![ledger]
}

/// Fails with "poison" in a batch, once with "once", and for a second with "busy".
#[listener("api.user_input", group = "ledger", batch = 4, within = "1m", retry = "3x 2s..2s")]
async fn ledger(inputs: Batch<UserInput>) -> Result<(), Fail> {
    for input in &inputs {
        match input.content.emission.as_str() {
            "poison" => return Err(Fail::retry("poison")),
            "once" if input.meta.attempt == 1 => return Err(Fail::retry("once")),
            "busy" if input.meta.attempt == 1 => return Err(Fail::retry_after(Duration::from_secs(1), "busy")),
            _ => {}
        }
    }
    Ok(())
}

/// The listeners with limits.
pub fn limited() -> Listeners {
    listeners![slowly, book_slowly, carefully]
}

/// Handles an event each minute.
#[listener("api.user_input", group = "slowly", rate = "1/m", retry = "2x 1s..1s")]
async fn slowly(input: UserInput, meta: Meta) -> Result<(), Fail> {
    match input.emission.as_str() {
        "once" if meta.attempt == 1 => Err(Fail::retry("once")),
        _ => Ok(()),
    }
}

/// Pauses after two failures.
#[listener(
    "api.user_input",
    group = "carefully",
    pause_after = "2 failures in 1m, for 10m",
    retry = "9x 1s..1s",
    concurrency = 1
)]
async fn carefully(input: UserInput, meta: Meta) -> Result<(), Fail> {
    match input.emission.as_str() {
        "three times" if meta.attempt <= 3 => Err(Fail::retry("no answer")),
        _ => Ok(()),
    }
}

/// Handles a batch when there are tokens for all of its events.
#[listener("api.user_input", group = "slow_ledger", batch = 3, within = "1s", rate = "1/m")]
async fn book_slowly(_: Vec<UserInput>) {}

/// Repeats the text of a reply.
#[listener("bot.reply", group = "echo")]
async fn echo(reply: Reply, context: Context, bus: Bus) -> Result<(), Fail> {
    if let Some(rest) = reply.text.strip_prefix("you said echo") {
        bus.emit(Reply::new(format!("echo{rest}")), context).await?;
    }
    Ok(())
}
