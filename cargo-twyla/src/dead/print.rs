//! Dead letters as text: a line each, or one with all that is known of it; and as JSON for other programs.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use twyla_contract::text::is_invisible;
use twyla_runtime::DeadLetter;

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Why it is there: the broker's word if that has moved it.
fn reason(letter: &DeadLetter) -> &str {
    match (letter.reason, letter.deaths.first()) {
        (Some(reason), _) => reason.as_str(),
        (None, Some(death)) => &death.reason,
        (None, None) => "-",
    }
}

/// The head of the list.
pub(super) fn head() -> String {
    format!("{:<36}  {:<20}  {:<11}  {:>8}  {}", "MESSAGE ID", "PARKED", "REASON", "ATTEMPTS", "ERROR")
}

/// One line of the list.
pub(super) fn line(letter: &DeadLetter) -> String {
    let id = letter.message_id.as_deref().unwrap_or("-");
    // a sender's text is not to move the cursor
    let error: String = letter.error.chars().map(|c| if is_invisible(c) { ' ' } else { c }).take(100).collect();
    format!("{id:<36}  {:<20}  {:<11}  {:>8}  {error}", time(letter.parked_at), reason(letter), letter.attempts)
}

/// All that is known of one.
pub(super) fn whole(letter: &DeadLetter, reveal: bool) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        let value: String = value.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect();
        let _ = writeln!(text, "{name:<14} {value}");
    };
    row("message id", letter.message_id.as_deref().unwrap_or("-"));
    row("event", &letter.event);
    row("group", &letter.group);
    row("exchange", &letter.exchange);
    row("routing key", &letter.routing_key);
    row("reason", reason(letter));
    row("error", &letter.error);
    for broken in &letter.violations {
        row("broken rule", &format!("{} {}: {}", broken.pointer, broken.keyword, broken.message));
    }
    row("attempts", &letter.attempts.to_string());
    if letter.first_failed_at.is_some() {
        row("first failed", &format!("{} {}", time(letter.first_failed_at), letter.first_error));
    }
    row("parked", &time(letter.parked_at));
    for death in &letter.deaths {
        let times = if death.count == 1 { "once".to_owned() } else { format!("{} times", death.count) };
        row("x-death", &format!("{}: {}, {times}, first {}", death.queue, death.reason, time(death.at)));
    }
    row("bytes", &letter.body.len().to_string());
    let body = if reveal { revealed(letter).shown() } else { letter.shown() };
    let body: String = body.chars().map(|c| if c == '\n' || !is_invisible(c) { c } else { '.' }).collect();
    text + "\n" + &body
}

/// One, for other programs.
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

/// The same with nothing that isn't shown.
fn revealed(letter: &DeadLetter) -> DeadLetter {
    let mut letter = letter.clone();
    letter.sensitive.clear();
    letter
}
