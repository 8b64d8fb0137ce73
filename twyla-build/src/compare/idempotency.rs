//! Compares `idempotent`: whether callers of an RPC may repeat a call.

use super::decide;
use super::resolved::Resolved;
use super::verdict::{Checked, Options, Sample, Verdict, Why, Witness};
use crate::schema::path::SchemaPath;
use crate::schema::rpcs::IDEMPOTENT;

const RULE: &str = "a caller that gets no answer sends the call again, so it may take effect twice";

/// Combines the verdict on the values of requests with idempotency. The pair breaks if the caller may repeat a call
/// that the service's contract doesn't allow to be repeated.
pub(super) fn verdict(values: Verdict, caller: &Resolved, service: &Resolved, options: &Options) -> Verdict {
    let (caller_schema, service) = (&caller.bundle, &service.bundle);
    if !caller_schema.is_idempotent() || !service.is_request() || service.is_idempotent() {
        return values;
    }
    let path = SchemaPath { pointer: format!("/{IDEMPOTENT}"), ..service.root_path() };
    match values {
        Verdict::Fits => {}
        Verdict::Breaks(mut witness) => {
            witness
                .rule
                .push_str(&format!("; also, the caller's contract is `{IDEMPOTENT}` and the service's isn't: {RULE}"));
            return Verdict::Breaks(witness);
        }
        Verdict::Undecided(why) => return Verdict::Undecided(why),
    }
    match decide::sample(caller, options) {
        Sample::Nothing => Verdict::Fits,
        Sample::Undecided(_) => {
            let reason = format!("{RULE}; the search found no example request");
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
    /// Returns whether the misfit is a repeated call, not a refused value.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.keyword == IDEMPOTENT && self.path.pointer == format!("/{IDEMPOTENT}")
    }
}
