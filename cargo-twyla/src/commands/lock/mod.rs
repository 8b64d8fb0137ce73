//! `cargo twyla check`, `accept` and `diff`: contracts and their lock.
//!
//! [`git`] reads the files of another revision, and [`revision`] its contracts. [`show`] prints findings, and [`json`] formats them
//! for other programs.

mod accept;
mod check;
mod diff;
mod git;
mod json;
mod revision;
mod show;

pub(crate) use accept::Args as Accept;
pub(crate) use check::Args as Check;
pub(crate) use diff::Args as Diff;
