//! What a lock's check is asked.

use super::date::Date;
use super::roles::Roles;

/// The lock's name in its folder.
pub const FILE_NAME: &str = "contracts.lock";

/// What is demanded of contracts, and of whom it is said.
#[derive(Clone, Debug)]
pub struct How {
    /// The schemas folder as messages show it: `schemas`.
    pub folder: String,
    /// What the service does with the contracts.
    pub roles: Roles,
    /// The day that waivers are held against.
    pub today: Date,
}

impl How {
    /// Everything is demanded, today.
    #[must_use]
    pub fn new(folder: impl Into<String>) -> Self {
        Self { folder: folder.into(), roles: Roles::default(), today: Date::today() }
    }

    /// The lock's file as messages show it.
    pub(crate) fn file(&self) -> String {
        format!("{}/{FILE_NAME}", self.folder)
    }
}
