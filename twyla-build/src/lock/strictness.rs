//! Decides whether a lock that is behind is an error. In CI it is, because only accepted contracts may be deployed.

use std::env::{self, VarError};
use std::fmt;

/// The error for an invalid value of `TWYLA_LOCK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadStrictness(String);

impl std::error::Error for BadStrictness {}

impl fmt::Display for BadStrictness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TWYLA_LOCK is {:?}: expected `strict` (an outdated lock is an error) or `warn`", self.0)
    }
}

/// The environment variables that decide whether a lock that is behind is an error.
pub(crate) const VARIABLES: [&str; 2] = ["TWYLA_LOCK", "CI"];

/// Returns whether a lock that is behind is an error. `TWYLA_LOCK` decides: `strict` or `warn`. If it isn't set, the lock
/// must be current if `CI` is set to anything but `false`, `0` or the empty string.
///
/// # Errors
/// Fails if `TWYLA_LOCK` has another value.
pub fn strict() -> Result<bool, BadStrictness> {
    let set = |name| match env::var(name) {
        Ok(value) => Some(value),
        Err(VarError::NotUnicode(value)) => Some(value.to_string_lossy().into_owned()),
        Err(VarError::NotPresent) => None,
    };
    decide(set("TWYLA_LOCK").as_deref(), set("CI").as_deref())
}

fn decide(own: Option<&str>, ci: Option<&str>) -> Result<bool, BadStrictness> {
    match own {
        Some("strict") => Ok(true),
        Some("warn") => Ok(false),
        None | Some("") => Ok(!matches!(ci, None | Some("" | "false" | "0"))),
        Some(other) => Err(BadStrictness(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_variable_comes_before_that_of_ci() {
        assert_eq!(decide(None, None), Ok(false));
        assert_eq!(decide(None, Some("true")), Ok(true));
        assert_eq!(decide(None, Some("false")), Ok(false));
        assert_eq!(decide(Some("warn"), Some("true")), Ok(false));
        assert_eq!(decide(Some("strict"), None), Ok(true));
        assert_eq!(decide(Some("strickt"), None), Err(BadStrictness("strickt".to_owned())));
    }
}
