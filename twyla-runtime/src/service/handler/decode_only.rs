//! Stops a delivery once its content and context are decoded: for tests that hold contracts against each other.

use std::any::TypeId;
use std::fmt;

use super::registration::{Failure, Incoming};

/// Given as a state, it says that an event is only to be decoded: its handler isn't called.
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

/// Stops before the handler if the event was only to be decoded.
pub(super) fn check(incoming: &Incoming) -> Result<(), Failure> {
    match incoming.states.contains_key(&TypeId::of::<OnlyDecoded>()) {
        true => Err(Failure::Handler(Box::new(OnlyDecoded))),
        false => Ok(()),
    }
}
