//! Builder methods for the lock: the roles of a service in its contracts, and the check of a folder against its lock.

use std::io::ErrorKind;

use super::Builder;
use crate::lock::{self, CheckOptions, Date, FILE_NAME, Finding, Lock, Observer, Role};
use crate::schema::problem::{Problem, ProblemKind, Problems};

impl Builder {
    /// Sets the role of the service for its events. If a contract has changed since it was accepted, only the direction
    /// that matters to this role is checked; the default is both. [`listens`](Self::listens) and [`emits`](Self::emits)
    /// override it for the events that they name.
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

    /// Sets events that the service listens to, and doesn't emit unless [`emits`](Self::emits) names them too.
    ///
    /// A name without an event in the folder is an error if the folder has a lock.
    #[must_use]
    pub fn listens<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.listens(events);
        self
    }

    /// Sets events that the service emits, and doesn't listen to unless [`listens`](Self::listens) names them too.
    ///
    /// A name without an event in the folder is an error if the folder has a lock.
    #[must_use]
    pub fn emits<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.emits(events);
        self
    }

    /// Sets RPCs that the service serves, and doesn't call unless [`calls`](Self::calls) names them too.
    ///
    /// A name without an RPC in the folder is an error if the folder has a lock.
    #[must_use]
    pub fn serves<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.serves(rpcs);
        self
    }

    /// Sets RPCs that the service calls, and doesn't serve unless [`serves`](Self::serves) names them too.
    ///
    /// A name without an RPC in the folder is an error if the folder has a lock.
    #[must_use]
    pub fn calls<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.roles = self.roles.calls(rpcs);
        self
    }

    /// Sets the date for which waivers are checked, instead of today's date: for reproducible builds.
    #[must_use]
    pub fn today(mut self, today: Date) -> Self {
        self.today = Some(today);
        self
    }

    /// Returns the options of a check against the lock.
    pub(crate) fn how(&self) -> CheckOptions {
        CheckOptions {
            folder: self.shown.clone(),
            roles: self.roles.clone(),
            only: self.only.clone(),
            today: self.today.unwrap_or_else(Date::today),
            observer: Observer::default(),
        }
    }

    /// Reads the folder's lock, `contracts.lock`; `None` if there is no such file.
    ///
    /// # Errors
    /// [`Problems`] with all errors in the file, each with line and column.
    pub fn lock(&self) -> Result<Option<Lock>, Problems> {
        let shown = self.how().file();
        match std::fs::read(self.folder.join(FILE_NAME)) {
            Ok(text) => Lock::parse(&shown, &text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let kind = ProblemKind::Unreadable { error: error.to_string() };
                Err(Problems(vec![Problem { file: shown, at: None, kind }]))
            }
        }
    }

    /// Compares the folder's contracts with its lock, as a build does. Without a lock there are no findings.
    ///
    /// # Errors
    /// [`Problems`] with all errors in the schemas or in the lock.
    pub fn check(&self) -> Result<Vec<Finding>, Problems> {
        match self.lock()? {
            Some(lock) => lock::check(&self.contracts()?, &lock, &self.how()),
            None => Ok(Vec::new()),
        }
    }
}
