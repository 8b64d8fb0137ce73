//! The error of telemetry setup.

use std::fmt;

/// An invalid environment variable, or another reason why telemetry can't be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError(pub(crate) String);

impl SetupError {
    pub(crate) fn bad(variable: &str, value: &str, should: &str) -> Self {
        Self(format!("{variable} is {value:?}: it should be {should}"))
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}
