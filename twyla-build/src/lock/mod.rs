#![doc = include_str!("../../docs/lock.md")]
//!
//! The rooms: [`mod@model`] is what a lock holds, `read`, `fault`, `write` and `print` are its file; `form`, `edit`, `rename` and
//! `alike` say what was changed; `check` holds contracts against their lock, with `roles` as to what is demanded, `advice`,
//! `beside` and `undo` as to what can be done, and `finding`, `words` and `told` as to what is said; `accept` makes the next lock, and
//! `history` holds one against an older one.

mod accept;
mod advice;
mod alike;
mod beside;
mod change;
mod check;
mod date;
mod edit;
#[cfg(test)]
mod edit_tests;
mod fault;
mod finding;
mod form;
mod history;
mod how;
pub mod model;
mod print;
mod read;
mod rename;
mod roles;
mod strict;
mod told;
mod undo;
mod words;
mod write;

use crate::compare::Sources;
use crate::schema::problem::Problems;

pub use accept::{Accepted, Act, Keep, Refused, Request, accept};
pub use change::Change;
pub use date::{Date, NoDate};
pub use edit::{Edit, edits};
pub use fault::Fault;
pub use finding::{Broken, EditVerdict, Edited, Finding, Held, Matter, Misfit, Severity, Waived};
pub use history::against;
pub use how::{FILE_NAME, How};
pub use model::{Direction, Earlier, Entry, Lock, Sides, Subject, Version, Waiver};
pub use roles::{Role, Roles};
pub(crate) use strict::VARIABLES;
pub use strict::{BadStrictness, strict};
pub use told::{Told, told};

#[cfg(feature = "schemars")]
pub(crate) use words::brief;

/// Holds the contracts of a folder against their lock, and finds all that there is to say, in the order of the contracts.
///
/// Nothing is found of a contract that is what was accepted, unless a version of it in the field doesn't fit it. The same
/// contracts and the same lock have the same findings on the same day.
///
/// # Errors
/// [`Problems`] with each form of the lock that had to be looked at and isn't the one of its digest, and each name in
/// `how.roles` that no event has.
pub fn check(sources: &Sources, lock: &Lock, how: &How) -> Result<Vec<Finding>, Problems> {
    let mut problems = Vec::new();
    how.roles.unknown(&how.folder, sources, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    check::check(check::Given { sources, lock, how, file: &how.file() })
}
