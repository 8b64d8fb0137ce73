//! Errors in a lock file, their messages and their remedies.

use std::fmt;

use twyla_contract::similar::DidYouMean;

use super::model::short;

/// An error in a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the messages show what the fields are")]
pub enum LockError {
    /// Conflict markers left by a merge.
    Conflict,
    /// The text isn't a lock.
    NoLock,
    /// The lock has a later format.
    Newer { number: String },
    /// A member is missing.
    Missing { name: &'static str, of: &'static str },
    /// A member isn't known.
    Unknown { name: String, near: Option<String> },
    /// A member has a value of the wrong type.
    Wrong { name: String, wanted: &'static str, found: String },
    /// A key isn't the name of a contract.
    BadSubject { name: String, error: String },
    /// A form isn't a valid contract.
    BadForm { error: String },
    /// The form's digest isn't the written one.
    WrongDigest { written: String, is: String },
    /// A version occurs twice.
    Twice { digest: String },
    /// `build.rs` gives a role to a contract that doesn't exist.
    NoRole { name: String, near: Option<String>, method: &'static str },
    /// `build.rs` gives a role to a contract that `.only(…)` leaves out.
    LeftOut { name: String, method: &'static str },
}

/// How to repair a broken lock.
const REMEDY: &str = "restore the file from version control, then run `cargo twyla accept`";

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str(
                "two merged branches both changed the lock: keep the lock of one branch, then accept the changes of \
                 the other branch again with `cargo twyla accept`",
            ),
            Self::NoLock => {
                write!(f, "this isn't a lock of contracts: expected an object with `lock` and `contracts`; {REMEDY}")
            }
            Self::Newer { number } => {
                write!(
                    f,
                    "the lock has the format version {number}, but this version of Twyla reads only version 1: update \
                     Twyla"
                )
            }
            Self::Missing { name, of } => write!(f, "{of} has no `{name}`; {REMEDY}"),
            Self::Unknown { name, near } => {
                write!(f, "unknown member `{name}`{}", DidYouMean(near.as_deref()))?;
                if near.is_none() { write!(f, "; {REMEDY}") } else { Ok(()) }
            }
            Self::Wrong { name, wanted, found } => write!(f, "`{name}` must be {wanted}, found {found}"),
            Self::BadSubject { name, error } => write!(f, "`{name}` isn't the name of a contract: {error}"),
            Self::BadForm { error } => write!(f, "the form isn't a valid contract: {error}; {REMEDY}"),
            Self::WrongDigest { written, is } => write!(
                f,
                "the form has the digest {}, but the lock names {}: the lock was edited by hand; {REMEDY}",
                short(is),
                short(written)
            ),
            Self::Twice { digest } => write!(f, "the version {} occurs twice: remove one of the two", short(digest)),
            Self::LeftOut { name, method } => {
                write!(f, "build.rs names `{name}` in `.{method}(…)`, but `.only(…)` leaves this contract out")
            }
            Self::NoRole { name, near, method } => {
                let near = DidYouMean(near.as_deref());
                write!(f, "there is no contract `{name}`, which build.rs names in `.{method}(…)`{near}")
            }
        }
    }
}
