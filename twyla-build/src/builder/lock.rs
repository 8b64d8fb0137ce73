//! The lock of a folder: what a service does with its contracts, and whether they are what was accepted.

use std::io::ErrorKind;

use super::Builder;
use crate::lock::{self, Date, FILE_NAME, Finding, How, Lock, Role};
use crate::schema::problem::{Problem, Problems, What};

impl Builder {
    /// What the service does with events: only the direction that this makes matter is demanded of a contract that has
    /// changed since it was accepted. Both are, unless this says else; events that [`listens`](Self::listens) or
    /// [`emits`](Self::emits) name are what those say.
    ///
    /// ```no_run
    /// use twyla_build::{Builder, lock::Role};
    ///
    /// Builder::new("schemas").role(Role::Listener).emits(["bot.reply"]).compile_or_exit();
    /// ```
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles = self.roles.rest(role);
        self
    }

    /// Events that the service listens to, and doesn't emit unless [`emits`](Self::emits) names them too.
    ///
    /// A name that no event of the folder has is an error where the folder has a lock.
    #[must_use]
    pub fn listens<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.listens(events);
        self
    }

    /// Events that the service emits, and doesn't listen to unless [`listens`](Self::listens) names them too.
    ///
    /// A name that no event of the folder has is an error where the folder has a lock.
    #[must_use]
    pub fn emits<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.emits(events);
        self
    }

    /// RPCs that the service serves, and doesn't call unless [`calls`](Self::calls) names them too.
    ///
    /// A name that no RPC of the folder has is an error where the folder has a lock.
    #[must_use]
    pub fn serves<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.serves(rpcs);
        self
    }

    /// RPCs that the service calls, and doesn't serve unless [`serves`](Self::serves) names them too.
    ///
    /// A name that no RPC of the folder has is an error where the folder has a lock.
    #[must_use]
    pub fn calls<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.calls(rpcs);
        self
    }

    /// The day that waivers are held against, where that isn't today: for builds that have to be the same on every day.
    #[must_use]
    pub fn today(mut self, today: Date) -> Self {
        self.today = Some(today);
        self
    }

    /// How the folder's contracts are held against its lock.
    pub(crate) fn how(&self) -> How {
        How { folder: self.shown.clone(), roles: self.roles.clone(), today: self.today.unwrap_or_else(Date::today) }
    }

    /// The folder's lock, `contracts.lock`; none where there is none.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong with the file, each at its line and column.
    pub fn lock(&self) -> Result<Option<Lock>, Problems> {
        let shown = self.how().file();
        match std::fs::read(self.folder.join(FILE_NAME)) {
            Ok(text) => Lock::parse(&shown, &text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let what = What::Unreadable { error: error.to_string() };
                Err(Problems(vec![Problem { file: shown, at: None, what }]))
            }
        }
    }

    /// Holds the folder's contracts against its lock: what a build would say. Nothing is found where there is no lock.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong with the schemas or with the lock.
    pub fn check(&self) -> Result<Vec<Finding>, Problems> {
        match self.lock()? {
            Some(lock) => lock::check(&self.contracts()?, &lock, &self.how()),
            None => Ok(Vec::new()),
        }
    }
}
