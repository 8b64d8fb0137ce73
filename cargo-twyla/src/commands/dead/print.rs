//! Formats dead letters: as a line each, one in detail, or as JSON.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use twyla_runtime::DeadLetter;

use crate::support::text::{self, lines, one_line, table};

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), text::time)
}

/// Returns the reason: the broker's own reason if the broker dead-lettered the message.
pub(super) fn reason(letter: &DeadLetter) -> &str {
    match (letter.reason, letter.deaths.first()) {
        (Some(reason), _) => reason.as_str(),
        (None, Some(death)) => &death.reason,
        (None, None) => "-",
    }
}

/// Returns the header line of the list.
pub(super) fn head() -> String {
    format!("{:<36}  {:<20}  {:<11}  {:>8}  {}", "MESSAGE ID", "DEAD-LETTERED", "REASON", "ATTEMPTS", "ERROR")
}

/// Returns the line of a dead letter in the list.
pub(super) fn line(letter: &DeadLetter) -> String {
    let id = letter.message_id.as_deref().unwrap_or("-");
    let error: String = one_line(&letter.error).chars().take(100).collect();
    format!("{id:<36}  {:<20}  {:<11}  {:>8}  {error}", time(letter.parked_at), reason(letter), letter.attempts)
}

/// Formats a dead letter in detail.
pub(super) fn whole(letter: &DeadLetter, reveal: bool) -> String {
    let mut rows = vec![
        ("message id", letter.message_id.clone().unwrap_or_else(|| "-".to_owned())),
        ("event", letter.event.clone()),
        ("group", letter.group.clone()),
        ("exchange", letter.exchange.clone()),
        ("routing key", letter.routing_key.clone()),
        ("reason", reason(letter).to_owned()),
        ("error", letter.error.clone()),
    ];
    rows.extend(
        letter
            .violations
            .iter()
            .map(|broken| ("broken rule", format!("{} {}: {}", broken.pointer, broken.keyword, broken.message))),
    );
    rows.push(("attempts", letter.attempts.to_string()));
    if letter.first_failed_at.is_some() {
        rows.push(("first failed", format!("{} {}", time(letter.first_failed_at), letter.first_error)));
    }
    rows.push(("dead-lettered", time(letter.parked_at)));
    rows.extend(letter.deaths.iter().map(|death| {
        let times = if death.count == 1 { "once".to_owned() } else { format!("{} times", death.count) };
        ("x-death", format!("{}: {}, {times}, first {}", death.queue, death.reason, time(death.at)))
    }));
    rows.push(("bytes", letter.body.len().to_string()));
    let body = if reveal { revealed(letter).shown() } else { letter.shown() };
    table(rows) + "\n" + &lines(&body)
}

/// Formats a dead letter as JSON.
pub(super) fn json(letter: &DeadLetter, reveal: bool) -> Value {
    let hides = !reveal && !letter.sensitive.is_empty();
    let stamp = |time: Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339());
    json!({
        "message_id": letter.message_id,
        "event": letter.event,
        "group": letter.group,
        "exchange": letter.exchange,
        "routing_key": letter.routing_key,
        "reason": letter.reason.map(|reason| reason.as_str()),
        "error": letter.error,
        "violations": letter.violations,
        "attempts": letter.attempts,
        "first_failed_at": stamp(letter.first_failed_at),
        "first_error": letter.first_error,
        "parked_at": stamp(letter.parked_at),
        "body": if hides { letter.shown() } else { String::from_utf8_lossy(&letter.body).into_owned() },
        "sensitive": letter.sensitive,
        "deaths": letter.deaths,
    })
}

/// Returns the dead letter with nothing marked as sensitive, so that all values are shown.
fn revealed(letter: &DeadLetter) -> DeadLetter {
    let mut letter = letter.clone();
    letter.sensitive.clear();
    letter
}
