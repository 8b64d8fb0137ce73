//! The options of a check against the lock.

use super::date::Date;
use super::roles::Roles;
use crate::compare::ContractKind;
use crate::schema::only::Only;

/// The name of the lock in its folder.
pub const FILE_NAME: &str = "contracts.lock";

/// The options of a check.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// The schemas folder as messages show it: `schemas`.
    pub folder: String,
    /// The roles of the service.
    pub roles: Roles,
    /// The contracts that are compiled; none for all. A contract of the lock that isn't one of them isn't missed.
    pub only: Option<Only>,
    /// The day for which waivers are checked.
    pub today: Date,
}

impl CheckOptions {
    /// Checks everything, for today.
    #[must_use]
    pub fn new(folder: impl Into<String>) -> Self {
        Self { folder: folder.into(), roles: Roles::default(), only: None, today: Date::today() }
    }

    /// Whether a contract is compiled.
    pub(crate) fn compiles(&self, kind: ContractKind, name: &str) -> bool {
        kind == ContractKind::Context || self.only.as_ref().is_none_or(|only| only.has(name))
    }

    /// The lock file as messages show it.
    pub(crate) fn file(&self) -> String {
        format!("{}/{FILE_NAME}", self.folder)
    }
}
