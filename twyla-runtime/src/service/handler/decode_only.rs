//! Stops a delivery once its content and context are decoded, for tests that compare contracts.

use std::any::TypeId;
use std::fmt;

use super::registration::{Failure, Incoming};

/// A state that makes the service only decode events, without calling handlers.
pub(crate) struct OnlyDecoded;

impl fmt::Debug for OnlyDecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnlyDecoded")
    }
}

impl fmt::Display for OnlyDecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event was to be decoded and not handled")
    }
}

impl std::error::Error for OnlyDecoded {}

/// Returns an error if the service only decodes events, so that the handler is not called.
pub(super) fn check(incoming: &Incoming) -> Result<(), Failure> {
    match incoming.states.contains_key(&TypeId::of::<OnlyDecoded>()) {
        true => Err(Failure::Handler(Box::new(OnlyDecoded))),
        false => Ok(()),
    }
}
