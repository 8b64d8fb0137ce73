//! `cargo twyla check`, `accept` and `diff`: contracts and their lock.
//!
//! [`revision`] reads the contracts of another revision. [`show`] formats findings for a terminal, [`json`] for other
//! programs, and [`review`] for reviewers. [`affected`] names the services that a change affects, and [`features`] compares
//! the features of a contracts crate with its folders.

mod accept;
mod affected;
mod check;
mod diff;
mod features;
mod json;
mod review;
mod revision;
mod show;

pub(crate) use accept::Args as Accept;
pub(crate) use check::Args as Check;
pub(crate) use diff::Args as Diff;
