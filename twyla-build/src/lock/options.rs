//! The options of a check against the lock.

use std::fmt;
use std::sync::Arc;

use super::date::Date;
use super::model::Subject;
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
    /// The contracts that are compiled; `None` for all. A contract of the lock that isn't compiled doesn't count as
    /// removed.
    pub only: Option<Only>,
    /// The day for which waivers are checked.
    pub today: Date,
    /// Observes the progress.
    pub observer: Observer,
}

/// The progress of a check. A check of two locks reports it twice.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CheckProgress<'a> {
    /// The number of contracts to compare.
    Begun(usize),
    /// A contract is being compared. Several contracts are compared at a time, and their order may change from run to
    /// run.
    Comparing(&'a Subject),
    /// A contract was compared.
    Compared(&'a Subject),
}

/// A callback that observes a check, from several threads.
///
/// ```
/// use twyla_build::lock::{CheckOptions, CheckProgress, Observer};
///
/// let observer = Observer::new(|progress| {
///     if let CheckProgress::Comparing(subject) = progress {
///         eprintln!("{subject}");
///     }
/// });
/// let how = CheckOptions { observer, ..CheckOptions::new("schemas") };
/// ```
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Observe>>);

type Observe = dyn Fn(CheckProgress<'_>) + Send + Sync;

impl Observer {
    /// Creates an observer. The default observer does nothing.
    #[must_use]
    pub fn new(observe: impl Fn(CheckProgress<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    pub(crate) fn observe(&self, progress: CheckProgress<'_>) {
        if let Some(observe) = &self.0 {
            observe(progress);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

impl CheckOptions {
    /// Returns options that check all contracts in both directions, for today.
    #[must_use]
    pub fn new(folder: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            roles: Roles::default(),
            only: None,
            today: Date::today(),
            observer: Observer::default(),
        }
    }

    /// Returns whether a contract is compiled.
    pub(crate) fn compiles(&self, kind: ContractKind, name: &str) -> bool {
        kind == ContractKind::Context || self.only.as_ref().is_none_or(|only| only.has(name))
    }

    /// Returns the path of the lock file, as messages show it.
    pub(crate) fn file(&self) -> String {
        format!("{}/{FILE_NAME}", self.folder)
    }
}
