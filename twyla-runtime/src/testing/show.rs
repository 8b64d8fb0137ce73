//! Formatting of values in the messages of failed expectations.

use std::time::Duration;

use serde_json::Value;

use crate::DeadLetter;
use twyla_codec::record::ContractRecord;
use twyla_codec::validate::sensitive;

/// The maximum number of characters that a message shows of an event's content.
const SHOWN: usize = 240;
/// Removes the sensitive values of a message.
pub(super) fn hide(message: &mut Value, record: &'static ContractRecord) {
    sensitive::hide(message, &record.sensitive());
}

/// Shortens a long text.
pub(super) fn shortened(text: &str) -> String {
    twyla_contract::text::shortened(text, SHOWN).into_owned()
}

/// Formats a virtual time: `1.5 s`.
pub(super) fn moment(at: Duration) -> String {
    let seconds = at.as_secs_f64();
    let text = format!("{seconds:.3}");
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Formats why an event was dead-lettered: `after 5 attempts, handler: no database`.
pub(super) fn why(letter: &DeadLetter) -> String {
    let reason = letter.reason.map_or("unknown reason", |reason| reason.as_str());
    let attempts = match letter.attempts {
        0 => String::new(),
        1 => "after 1 attempt, ".to_owned(),
        many => format!("after {many} attempts, "),
    };
    format!("{attempts}{reason}: {}", letter.error)
}
