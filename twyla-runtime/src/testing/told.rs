//! What happened, in words: what a test shows where an expectation fails.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use twyla_contract::text::Visible;

use super::bus::TestBus;
use super::course::Log;
use crate::DeadLetter;
use crate::mark::Mark;
use twyla_codec::validate::sensitive;

/// Characters of a content that are shown.
const SHOWN: usize = 240;
/// Of each kind, so many things are told.
const TOLD: usize = 30;

/// Takes out of a message what is nobody's to see.
pub(super) fn hide(message: &mut Value, mark: &'static Mark) {
    sensitive::hide(message, &mark.sensitive());
}

/// A long text's beginning.
pub(super) fn shortened(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

/// A moment of the bus's clock: `1.5 s`.
pub(super) fn moment(at: Duration) -> String {
    let seconds = at.as_secs_f64();
    let text = format!("{seconds:.3}");
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Why a letter was parked: `after 5 attempts, handler: no database`.
pub(super) fn why(letter: &DeadLetter) -> String {
    let reason = letter.reason.map_or("unknown reason", |reason| reason.as_str());
    let attempts = match letter.attempts {
        0 => String::new(),
        1 => "after 1 attempt, ".to_owned(),
        many => format!("after {many} attempts, "),
    };
    format!("{attempts}{reason}: {}", letter.error)
}

impl TestBus {
    /// Everything that has happened so far.
    pub(super) fn story(&self) -> String {
        self.course.log(|log| story(log))
    }
}

fn story(log: &Log) -> String {
    let mut out = String::new();
    let mut part = |head: &str, lines: Vec<String>| {
        if lines.is_empty() {
            let _ = writeln!(out, "{head}: nothing");
            return;
        }
        let _ = writeln!(out, "{head}:");
        let more = lines.len().saturating_sub(TOLD);
        for line in lines.into_iter().take(TOLD) {
            let _ = writeln!(out, "  {}", Visible(&line));
        }
        if more > 0 {
            let _ = writeln!(out, "  and {more} more");
        }
    };
    let event = |it: &super::course::Emission| {
        let taken = if it.taken { ", which an earlier expectation has had" } else { "" };
        format!("{:>7}  {} {}{taken}", moment(it.at), it.event, it.shown())
    };
    part("given", log.emitted.iter().filter(|it| it.given).map(event).collect());
    let attempts = log.attempts.iter().map(|it| {
        let number = if it.number > 1 { format!(", attempt {}", it.number) } else { String::new() };
        format!(
            "{:>7}  {} in the group `{}`{number}: `{}` {}",
            moment(it.at),
            it.event,
            it.group,
            it.handler,
            it.outcome
        )
    });
    part("handled", attempts.collect());
    part("emitted", log.emitted.iter().filter(|it| !it.given).map(event).collect());
    let parked = log
        .parked
        .iter()
        .map(|it| format!("{} in the group `{}`, {}", it.letter.event, it.letter.group, why(&it.letter)));
    part("parked", parked.collect());
    out.truncate(out.trim_end().len());
    out
}
