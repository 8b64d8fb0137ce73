//! Errors in a lock file, their messages and their remedies.

use std::fmt;

use super::model::short;

/// An error in a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the wording below is the documentation")]
pub enum LockError {
    /// Conflict markers left by a merge.
    Conflict,
    NoLock,
    Newer {
        number: String,
    },
    Missing {
        name: &'static str,
        of: &'static str,
    },
    Unknown {
        name: String,
        near: Option<String>,
    },
    Wrong {
        name: String,
        wanted: &'static str,
        found: String,
    },
    BadSubject {
        name: String,
        error: String,
    },
    BadForm {
        error: String,
    },
    /// The form doesn't have the digest.
    WrongDigest {
        said: String,
        is: String,
    },
    Twice {
        digest: String,
    },
    NoRole {
        name: String,
        near: Option<String>,
        method: &'static str,
    },
    /// A name in the options of a build that isn't compiled.
    LeftOut {
        name: String,
        method: &'static str,
    },
}

/// How to repair a broken lock.
const REMEDY: &str = "take the file from version control again, and then `cargo twyla accept`";

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str(
                "two branches were merged here and both have changed the lock: take the one side whole, and then \
                 `cargo twyla accept` what the other one had accepted",
            ),
            Self::NoLock => write!(f, "isn't a lock of contracts: an object with `lock` and `contracts`; {REMEDY}"),
            Self::Newer { number } => {
                write!(f, "is a lock of the form {number}, and this version of Twyla knows 1: it needs a newer one")
            }
            Self::Missing { name, of } => write!(f, "{of} has no `{name}`; {REMEDY}"),
            Self::Unknown { name, near } => {
                write!(f, "there is no `{name}` here")?;
                match near {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; {REMEDY}"),
                }
            }
            Self::Wrong { name, wanted, found } => write!(f, "`{name}` is {wanted}, not {found}"),
            Self::BadSubject { name, error } => write!(f, "`{name}` isn't a contract: {error}"),
            Self::BadForm { error } => write!(f, "the form isn't a contract: {error}; {REMEDY}"),
            Self::WrongDigest { said, is } => write!(
                f,
                "the form isn't the one of the digest {}, but of {}: it was edited by hand; {REMEDY}",
                short(said),
                short(is)
            ),
            Self::Twice { digest } => write!(f, "the version {} is here twice; take one of them out", short(digest)),
            Self::LeftOut { name, method } => {
                write!(f, "build.rs names `{name}` in `.{method}(…)`, but `.only(…)` leaves it out")
            }
            Self::NoRole { name, near, method } => {
                write!(f, "has no contract `{name}`, which build.rs names in `.{method}(…)`")?;
                near.as_ref().map_or(Ok(()), |near| write!(f, "; did you mean `{near}`?"))
            }
        }
    }
}
