//! What an event costs: Twyla beside the bare decode, typify's types, and `jsonschema` before the types.
//!
//! The rooms, in the order in which a run walks through them: `contracts` (the types that the build script made),
//! [`bare`] (the same by hand), `instances` (events from a seed), [`ways`] (each way to decode and encode them),
//! [`rounds`] (the ways by turns, timed), [`table`] (what is printed, and what was to be reached). [`peer`] is a test: what Twyla
//! and typify write is held to each other.
//!
//! `cargo bench -p twyla-bench` runs it; allocations are counted by a program of its own, so that no clock is held up
//! by the counting. `cargo run --release -p twyla-bench --bin build-cost` tells what a build costs.
#![forbid(unsafe_code)]

pub mod bare;
mod contracts;
mod instances;
pub mod peer;
pub mod rounds;
pub mod schemas;
pub mod table;
pub mod ways;
