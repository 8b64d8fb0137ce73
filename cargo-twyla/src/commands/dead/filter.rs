//! Selects dead letters.

use chrono::{DateTime, TimeDelta, Utc};
use clap::builder::PossibleValuesParser;
use twyla_runtime::{DeadLetter, Reason};

use super::print::reason;

/// The reasons in `x-death` for messages that RabbitMQ itself has moved.
const BROKERS: [&str; 4] = ["delivery_limit", "expired", "maxlen", "rejected"];

/// Returns all reasons of dead letters, as the command line names them.
fn reasons() -> impl Iterator<Item = &'static str> {
    Reason::ALL.iter().map(|reason| reason.as_str()).chain(BROKERS)
}

/// A filter; all its conditions must hold.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Filter {
    /// Only the dead letter with this message id.
    #[arg(long, value_name = "MESSAGE_ID")]
    pub(super) id: Option<String>,
    /// Only dead letters with this reason; RabbitMQ's own reasons are delivery_limit, expired, maxlen and rejected.
    #[arg(long, value_parser = PossibleValuesParser::new(reasons()))]
    reason: Option<String>,
    /// Only dead letters whose error contains this text.
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Only dead letters with a broken rule at this JSON Pointer or below, for example /content/emission.
    #[arg(long, value_name = "POINTER")]
    at: Option<String>,
    /// Only dead letters from at least this long ago: 30s, 10m, 2h or 7d.
    #[arg(long, value_name = "AGE", value_parser = age)]
    older: Option<TimeDelta>,
    /// Only dead letters from at most this long ago.
    #[arg(long, value_name = "AGE", value_parser = age)]
    newer: Option<TimeDelta>,
}

impl Filter {
    /// Returns whether the filter has no condition.
    pub(super) fn is_all(&self) -> bool {
        let Self { id, reason, error, at, older, newer } = self;
        id.is_none() && reason.is_none() && error.is_none() && at.is_none() && older.is_none() && newer.is_none()
    }

    /// Returns whether a dead letter matches at the time `now`.
    pub(super) fn fits(&self, letter: &DeadLetter, now: DateTime<Utc>) -> bool {
        let age = letter.parked_at.map(|at| now - at);
        let below = |pointer: &str, at: &str| {
            pointer.strip_prefix(at.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.id.as_ref().is_none_or(|id| letter.message_id.as_ref() == Some(id))
            && self.reason.as_ref().is_none_or(|it| reason(letter) == it)
            && self.error.as_ref().is_none_or(|error| letter.error.contains(error))
            && self.at.as_ref().is_none_or(|at| letter.violations.iter().any(|broken| below(&broken.pointer, at)))
            && self.older.is_none_or(|older| age.is_some_and(|age| age >= older))
            && self.newer.is_none_or(|newer| age.is_some_and(|age| age <= newer))
    }
}

/// Parses `30s`, `10m`, `2h`, `7d`.
fn age(text: &str) -> Result<TimeDelta, String> {
    let bad = || format!("expected an age such as 10m (a number and s, m, h or d), found {text:?}");
    let unit = text.chars().last().ok_or_else(bad)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| bad())?;
    let delta = match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        _ => None,
    };
    delta.filter(|delta| *delta >= TimeDelta::zero()).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn each_reason_can_be_asked_for() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            filter: Filter,
        }
        for reason in reasons() {
            let line = Line::try_parse_from(["dead", "--reason", reason]).unwrap();
            assert_eq!(line.filter.reason.as_deref(), Some(reason));
        }
        let Err(error) = Line::try_parse_from(["dead", "--reason", "sise"]) else { panic!("it is refused") };
        assert!(error.to_string().contains("a similar value exists: 'size'"), "{error}");
    }

    #[test]
    fn reads_ages() {
        assert_eq!(age("90s"), Ok(TimeDelta::seconds(90)));
        assert_eq!(age("7d"), Ok(TimeDelta::days(7)));
        for bad in ["", "s", "7", "-1s", "7w", "7ü", "99999999999999999d"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }
}
