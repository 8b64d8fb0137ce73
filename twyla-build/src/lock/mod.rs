#![doc = include_str!("../../docs/lock.md")]
//!
//! The modules: [`mod@model`] is the content of a lock, and `read`, `error`, `write` and `print` read and write its
//! file; `form`, `edit`, `rename` and `similarity` find the changes; `check` compares contracts with their lock, for
//! the `roles` of a service, and `advice`, `add_property` and `undo` propose alternatives; `finding`, `wording` and
//! `messages` are the result; `accept` makes the next lock, and `history` compares a lock with an older one.

mod accept;
mod add_property;
mod advice;
mod change;
mod check;
mod date;
mod edit;
#[cfg(test)]
mod edit_tests;
mod error;
mod finding;
mod form;
mod history;
mod messages;
pub mod model;
mod options;
mod print;
mod read;
mod rename;
mod roles;
mod similarity;
mod strictness;
mod undo;
mod wording;
mod write;

pub use accept::{Accepted, Act, Keep, Refused, Request, accept};
pub use change::Change;
pub use check::check;
pub use date::{Date, NoDate};
pub use edit::{Edit, edits};
pub use error::LockError;
pub use finding::{
    BreakingChange, ComparedVersion, EditVerdict, EditedContract, Finding, FindingKind, Misfit, Severity, WaivedMisfit,
    WayOn,
};
pub use history::against;
pub use messages::{FindingGroup, Message, groups, messages};
pub use model::{Direction, Earlier, Entry, Lock, Sides, Subject, Version, Waiver};
pub use options::{CheckOptions, CheckProgress, FILE_NAME, Observer};
pub use roles::{Role, Roles};
pub(crate) use strictness::VARIABLES;
pub use strictness::{BadStrictness, strict};

#[cfg(feature = "schemars")]
pub(crate) use wording::brief;
