//! Schemas and values made from a seed: the same on every machine, so that a seed names what a test has found.
//!
//! `schemas` makes schemas of every draft, with every keyword in likely and in odd company; `instances` makes values near a
//! schema, most of them with one thing changed; `mutate` changes a schema in one place; `random` is what all draw from.
#![forbid(unsafe_code)]

pub mod instances;
pub mod mutate;
pub mod random;
pub mod schemas;

/// The drafts by the names that the official suite has for them, the oldest first.
pub const DRAFTS: [&str; 5] = ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"];
