//! Compares `twyla_build::compare` with labels, other checkers, and a validator.
//!
//! The program runs files of labelled pairs and prints the agreement for each; the tests do the same with the shared
//! files, and check generated schemas and single changes of them with the `jsonschema` crate by brute force.
//!
//! The modules: [`cases`] reads the files, [`oracle`] is the `jsonschema` crate, [`rival`] the other checkers,
//! [`judge`] judges one direction of a pair, [`report`] counts and prints, [`history`] compares real edits as
//! contracts; [`brute`] searches for values that refute a verdict.
#![forbid(unsafe_code)]

pub mod brute;
pub mod cases;
pub mod history;
pub mod judge;
pub mod oracle;
pub mod report;
pub mod rival;
