//! Schemas and values generated from a seed, the same on every machine, so that a seed reproduces a failing test.
//!
//! `schemas` generates schemas of every draft, with every keyword in likely and odd combinations; `instances` generates
//! values near a schema, most of them with one change; `mutate` changes a schema in one place; `random` is the source
//! of randomness; `shapes` makes a folder of events in the shapes of real platforms.
#![forbid(unsafe_code)]

pub mod instances;
pub mod mutate;
pub mod random;
pub mod schemas;
pub mod shapes;

/// The drafts by their names in the official suite, the oldest first.
pub const DRAFTS: [&str; 5] = ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"];
