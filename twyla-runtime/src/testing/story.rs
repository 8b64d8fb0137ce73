//! The history of a test bus, as a failed expectation shows it.

use std::fmt::Write;

use twyla_contract::text::Visible;

use super::bus::TestBus;
use super::emission::Emission;
use super::recorder::Log;
use super::show::{moment, why};

/// The maximum number of lines in each section.
const MAX_LINES: usize = 30;

impl TestBus {
    /// Formats everything that has happened so far.
    pub(super) fn story(&self) -> String {
        self.recorder.log(|log| story(log))
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
        let more = lines.len().saturating_sub(MAX_LINES);
        for line in lines.into_iter().take(MAX_LINES) {
            let _ = writeln!(out, "  {}", Visible(&line));
        }
        if more > 0 {
            let _ = writeln!(out, "  and {more} more");
        }
    };
    let event = |it: &Emission| {
        let taken = if it.taken { ", already expected" } else { "" };
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
    let dead_letters = log
        .dead_letters
        .iter()
        .map(|it| format!("{} in the group `{}`, {}", it.letter.event, it.letter.group, why(&it.letter)));
    part("dead-lettered", dead_letters.collect());
    out.truncate(out.trim_end().len());
    out
}
