//! Checks the broker's connections: each child has two, and no others exist.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::books::Books;
use super::stage::Stage;
use crate::broker;

/// The connections of a bus: to publish and to consume.
const OF_A_BUS: usize = 2;
/// The maximum time for the broker to notice that a connection is gone: heartbeats are missed after twice 4 s.
const PATIENCE: Duration = Duration::from_secs(45);

/// Waits until the broker has two connections of each of these buses and no other.
///
/// # Errors
/// The outer error: the broker can't list its connections. The inner error: the connections that were not as expected in time.
pub(super) fn settle(stage: &Stage, books: &mut Books, buses: &[String]) -> Result<Result<(), String>, broker::Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = count(&list(stage)?);
        let wrong = unexpected(&found, buses);
        if wrong.is_empty() {
            return Ok(Ok(()));
        }
        if Instant::now() > until {
            return Ok(Err(wrong.join(", ")));
        }
        books.listen(Duration::from_millis(500));
    }
}

/// Describes the connections that are not as expected.
fn unexpected(found: &BTreeMap<String, usize>, buses: &[String]) -> Vec<String> {
    let expected = |name: &String| if buses.contains(name) { OF_A_BUS } else { 0 };
    let missing = buses.iter().filter(|name| !found.contains_key(*name)).map(|name| (name, 0));
    let found = found.iter().map(|(name, count)| (name, *count));
    found
        .chain(missing)
        .filter(|(name, count)| expected(name) != *count)
        .map(|(name, count)| format!("{name} has {count} connections, expected {}", expected(name)))
        .collect()
}

/// Returns the names of the broker's connections, one per line.
fn list(stage: &Stage) -> Result<String, broker::Error> {
    let mut outcome = Ok(String::new());
    // a node that was cut off may not answer yet
    for node in &stage.nodes {
        outcome = node.ctl(&["list_connections", "client_properties"]);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Counts the connections of each bus; connections with another kind of name count as `another`.
fn count(listed: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in listed.lines().filter(|line| line.contains("connection_name") || line.starts_with('[')) {
        // `{"connection_name","child-1 publish"}`, as one of the properties
        let name = line.split_once("\"connection_name\"").and_then(|(_, rest)| rest.split('"').nth(1));
        let bus = name.and_then(|name| name.strip_suffix(" publish").or_else(|| name.strip_suffix(" consume")));
        *counts.entry(bus.unwrap_or("another").to_owned()).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_left_behind_and_what_is_missing() {
        let line =
            |name: &str| format!("[{{\"product\",\"lapin\"}}, {{\"connection_name\",\"{name}\"}}, {{\"x\",true}}]\n");
        let one = line("child-1 publish") + &line("child-1 consume");
        assert_eq!(unexpected(&count(&one), &["child-1".to_owned()]), Vec::<String>::new());
        let more = one.clone() + &line("child-1 consume") + &line("child-2 consume") + &line("somebody's");
        assert_eq!(
            unexpected(&count(&more), &["child-1".to_owned(), "child-3".to_owned()]),
            [
                "another has 1 connections, expected 0",
                "child-1 has 3 connections, expected 2",
                "child-2 has 1 connections, expected 0",
                "child-3 has 0 connections, expected 2"
            ]
        );
    }
}
