#![cfg_attr(not(doctest), doc = include_str!("../../docs/testing.md"))]
//!
//! # Modules
//!
//! `bus` is the bus of a test; `recorder` observes it and records its events and attempts as the types in `record`; `expect`
//! checks the records and `story` formats them. `samples` makes events from their schemas, `strategy` does so for proptest.
//! `neighbour` checks compatibility with another service by its manifest.

mod bus;
mod emission;
mod expect;
mod neighbour;
mod record;
mod recorder;
mod samples;
mod show;
mod story;
mod strategy;

pub use bus::TestBus;
pub use neighbour::{Neighbour, NeighbourError};
pub use record::{Attempt, Emitted, Outcome};
pub use samples::{Broken, Sample, broken, sample, sample_context, samples};
pub use strategy::{Any, AnyContext, Generated, any, any_context};
