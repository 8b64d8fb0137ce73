//! What `idempotent` says beyond the values: whether callers of an RPC may have it done again.

use super::bundle::Bundle;
use super::decide;
use super::verdict::{Checked, Options, Sample, Verdict, Why, Witness};
use crate::schema::path::SchemaPath;
use crate::schema::rpcs::IDEMPOTENT;

const RULE: &str = "a caller without an answer sends it again, and then it may be done twice";

/// The verdict on an RPC's requests, where `values` is that on their values alone: a caller that may repeat what the service's
/// contract doesn't let be repeated has it done twice.
pub(super) fn verdict(values: Verdict, caller: &Bundle, service: &Bundle, options: &Options) -> Verdict {
    if !caller.says_idempotent() || !service.is_request() || service.says_idempotent() {
        return values;
    }
    let path = SchemaPath { pointer: format!("/{IDEMPOTENT}"), ..service.root_path() };
    match values {
        Verdict::Fits => {}
        Verdict::Breaks(mut witness) => {
            witness.rule.push_str(&format!("; and, as only the caller's contract is `{IDEMPOTENT}`, {RULE}"));
            return Verdict::Breaks(witness);
        }
        Verdict::Undecided(why) => return Verdict::Undecided(why),
    }
    match decide::sample(caller, options) {
        Sample::Nothing => Verdict::Fits,
        Sample::Undecided(_) => {
            let reason = format!("{RULE}; no request was found to show it by");
            Verdict::Undecided(Why { keyword: IDEMPOTENT.to_owned(), path, reason })
        }
        Sample::Value(event) => Verdict::Breaks(Box::new(Witness {
            event,
            pointer: String::new(),
            keyword: IDEMPOTENT.to_owned(),
            path,
            rule: RULE.to_owned(),
            checked: Checked::Evaluated,
        })),
    }
}

impl Witness {
    /// Whether it is no value that is refused, but one that is sent again and must not be.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.keyword == IDEMPOTENT && self.path.pointer == format!("/{IDEMPOTENT}")
    }
}
