//! What several commands share.
//!
//! [`run`] is what a command implements. [`schemas`] finds the schemas folder, and [`contracts`] reads the contracts in it.
//! [`paint`] prints to the terminal, [`text`] formats values for it, [`confirm`] asks the user, and [`output`] writes files.
//! [`json`] keeps JSON as it is written, [`uri`] encodes parts of URIs, and [`git`] reads a repository.

pub(crate) mod confirm;
pub(crate) mod contracts;
pub(crate) mod git;
pub(crate) mod json;
pub(crate) mod output;
pub(crate) mod paint;
pub(crate) mod run;
pub(crate) mod schemas;
pub(crate) mod text;
pub(crate) mod uri;
