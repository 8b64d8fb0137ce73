//! The options of a check against the lock.

use super::date::Date;
use super::roles::Roles;

/// The name of the lock in its folder.
pub const FILE_NAME: &str = "contracts.lock";

/// The options of a check.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// The schemas folder as messages show it: `schemas`.
    pub folder: String,
    /// The roles of the service.
    pub roles: Roles,
    /// The day for which waivers are checked.
    pub today: Date,
}

impl CheckOptions {
    /// Checks everything, for today.
    #[must_use]
    pub fn new(folder: impl Into<String>) -> Self {
        Self { folder: folder.into(), roles: Roles::default(), today: Date::today() }
    }

    /// The lock file as messages show it.
    pub(crate) fn file(&self) -> String {
        format!("{}/{FILE_NAME}", self.folder)
    }
}
