#![cfg_attr(not(doctest), doc = include_str!("../../docs/testing.md"))]
//!
//! # The rooms
//!
//! `bus` is the bus that a test gives events to; what happens on it is its `course`, written down as `record` says, which
//! `expect` looks at and `told` puts in words. `samples` makes events of their schemas, `strategy` for proptest. `neighbour` is
//! another service, known by its manifest.

mod bus;
pub(crate) mod course;
mod expect;
mod neighbour;
mod record;
mod samples;
mod strategy;
mod told;

use std::any::TypeId;
use std::fmt;

pub use bus::TestBus;
pub use neighbour::{Neighbour, NeighbourError};
pub use record::{Attempt, Emitted, Outcome};
pub use samples::{Broken, Sample, broken, sample, sample_context, samples};
pub use strategy::{Any, AnyContext, Generated, any, any_context};

use crate::handler::{Failure, Incoming};

/// Given as a state, it says that an event is only to be decoded: its handler isn't called.
struct OnlyDecoded;

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

/// An event has been decoded, content and context: that may be all that was wanted.
pub(crate) fn decoded(incoming: &Incoming) -> Result<(), Failure> {
    match incoming.states.contains_key(&TypeId::of::<OnlyDecoded>()) {
        true => Err(Failure::Handler(Box::new(OnlyDecoded))),
        false => Ok(()),
    }
}
