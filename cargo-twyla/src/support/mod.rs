//! Code that several commands share.
//!
//! [`run`] has the trait that each command implements. [`schemas`] finds the schemas folder ([`contracts_crate`] finds the
//! one of another package), and [`contracts`] reads the contracts in it. [`paint`] prints to the terminal, [`text`] formats
//! values for it, [`confirm`] asks the user, [`progress`] shows which contracts a command compares, and [`output`] writes
//! files. [`report`] writes findings as annotations, comments and SARIF, and [`options`] has the options that several
//! commands share. [`verb`] names how a service uses a contract. [`json`] keeps JSON as it is written, [`uri`] encodes parts
//! of URIs, [`git`] reads a repository, and [`revision`] reads a schemas folder at an earlier revision.

pub(crate) mod confirm;
pub(crate) mod contracts;
pub(crate) mod contracts_crate;
pub(crate) mod git;
pub(crate) mod json;
pub(crate) mod options;
pub(crate) mod output;
pub(crate) mod paint;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod revision;
pub(crate) mod run;
pub(crate) mod schemas;
pub(crate) mod text;
pub(crate) mod uri;
pub(crate) mod verb;
