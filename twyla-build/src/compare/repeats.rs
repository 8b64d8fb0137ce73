//! What `idempotent` says beyond the values: whether callers of an RPC may have it done again.

use super::bundle::Bundle;
use super::decide;
use super::verdict::{Checked, Options, Sample, SchemaPath, Verdict, Witness};
use crate::rpcs::IDEMPOTENT;

/// The verdict on callers and a service of which each reads the other's values: a caller that may repeat what the service
/// doesn't let be repeated has it done twice.
pub(super) fn verdict(caller: &Bundle, service: &Bundle, options: &Options) -> Verdict {
    if !caller.is_repeatable() || service.is_repeatable() {
        return Verdict::Fits;
    }
    match decide::sample(caller, options) {
        Sample::Nothing => Verdict::Fits,
        Sample::Undecided(why) => Verdict::Undecided(why),
        Sample::Value(event) => Verdict::Breaks(Box::new(Witness {
            event,
            pointer: String::new(),
            keyword: IDEMPOTENT.to_owned(),
            path: SchemaPath { pointer: format!("/{IDEMPOTENT}"), ..service.root_path() },
            rule: "a caller without an answer sends it again, and then it may be done twice".to_owned(),
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
