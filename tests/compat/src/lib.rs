//! Holds the comparison of schemas (`twyla_build::compare`) to what others say.
//!
//! The program runs files of labelled pairs and prints, for each, who agrees; the tests do the same with the shared files, and
//! hold generated schemas and single changes of them to the `jsonschema` crate by brute force.
//!
//! The rooms: [`cases`] reads the files, [`oracle`] is the `jsonschema` crate, [`rival`] the `jsoncompat` crate, [`judge`]
//! decides about one direction of a pair, [`report`] counts and prints, [`history`] sees real edits as contracts; [`brute`] looks for
//! values that show a verdict to be wrong.
#![forbid(unsafe_code)]

pub mod brute;
pub mod cases;
pub mod history;
pub mod judge;
pub mod oracle;
pub mod report;
pub mod rival;
