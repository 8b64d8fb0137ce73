//! The cost of an event: Twyla compared with the bare decode, typify's types, and `jsonschema` before the types.
//!
//! `contracts` are the types that the build script made, [`bare`] the same by hand, and `instances` makes events from a seed.
//! [`ways`] decode and encode them, [`rounds`] time the variants in turns, and [`table`] prints each result with its target. [`peer`] is
//! a test: it compares what Twyla and typify write.
//!
//! `cargo bench -p twyla-bench` runs it. Another program counts allocations, because counting would slow down what is timed.
//! `cargo run --release -p twyla-bench --bin build-cost` measures what a build costs, and the program `platform-cost` that of
//! many services on one folder of contracts.
#![forbid(unsafe_code)]

pub mod bare;
pub mod command;
mod contracts;
mod instances;
pub mod peer;
pub mod rounds;
pub mod schemas;
pub mod table;
pub mod ways;
