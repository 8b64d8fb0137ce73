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

pub use accept::{Accepted, Act, Keep, Refused, Request, accept};
pub use change::Change;
pub use check::check;
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
