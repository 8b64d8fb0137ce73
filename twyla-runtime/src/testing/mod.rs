#![cfg_attr(not(doctest), doc = include_str!("../../docs/testing.md"))]
//!
//! # The rooms
//!
//! `bus` is the bus that a test gives events to; the `recorder` observes what happens on it and writes it down as `record` says, which
//! `expect` looks at and `story` puts in words. `samples` makes events of their schemas, `strategy` for proptest. `neighbour` is
//! another service, known by its manifest.

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
