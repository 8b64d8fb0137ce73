//! Events that break their contract: each group must dead-letter each of them.

use std::collections::BTreeSet;

use twyla_runtime::__private::publish_raw;
use twyla_runtime::{Bus, Reason};

use crate::report::{Failed, report};

const EVENT: &str = "chaos.step";
/// More than any run publishes.
const ALL: usize = 100_000;

/// Publishes this many of them.
pub(crate) async fn publish(bus: &Bus, name: &str, events: u32) -> Result<(), Failed> {
    for number in 0..events {
        // a key's number is an integer
        let content = format!(r#"{{"key":"{name}","seq":"{number}","padding":""}}"#);
        let body = format!(r#"{{"event_name":"{EVENT}","content":{content},"context":{{}}}}"#);
        publish_raw(bus, "chaos", "step", body).await?;
    }
    Ok(())
}

/// Reports how many different ones each group has dead-lettered, and which other events.
pub(crate) async fn dead(bus: &Bus) -> Result<(), Failed> {
    for group in ["one", "two", "three"] {
        let letters = bus.dead_letters(EVENT, group, ALL).await?;
        let (broken, other): (Vec<_>, Vec<_>) =
            letters.into_iter().partition(|letter| letter.reason == Some(Reason::Contract));
        let broken: BTreeSet<_> = broken.into_iter().map(|letter| letter.body).collect();
        report(&format!("dead {group} {} {}", broken.len(), other.len()))?;
        for letter in other.iter().take(5) {
            eprintln!("{letter:?}");
        }
    }
    Ok(())
}
