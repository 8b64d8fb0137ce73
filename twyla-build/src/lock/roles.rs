//! The roles of a service: only the directions that matter to its role are checked.

use std::collections::BTreeSet;

use twyla_contract::similar;

use super::error::LockError;
use super::model::{Direction, Subject};
use crate::compare::{ContractKind, Sources};
use crate::schema::problem::{Problem, ProblemKind};

/// What a service does with events, or with messages of an RPC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The service emits and listens to events, or its role is unknown.
    #[default]
    Both,
    /// The service only emits events: they must fit the existing listeners.
    Producer,
    /// The service only listens to events: it must accept the events of existing producers.
    Listener,
}

impl Role {
    /// Returns whether a direction is checked for the role.
    #[must_use]
    pub fn demands(self, direction: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::Producer => direction == Direction::NewToOld,
            Self::Listener => direction == Direction::OldToNew,
        }
    }
}

/// The roles of a service, for the contracts that it names and for all others.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    rest: Role,
    listens: BTreeSet<String>,
    emits: BTreeSet<String>,
    serves: BTreeSet<String>,
    calls: BTreeSet<String>,
}

impl Roles {
    /// Sets the role for the context and all events that aren't named. For an RPC that isn't named, both directions matter.
    #[must_use]
    pub fn new(rest: Role) -> Self {
        Self { rest, ..Self::default() }
    }

    /// Adds events that the service listens to. It doesn't emit them unless [`emits`](Self::emits) adds them too.
    #[must_use]
    pub fn listens<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.listens.extend(events.into_iter().map(Into::into));
        self
    }

    /// Adds events that the service emits. It doesn't listen to them unless [`listens`](Self::listens) adds them too.
    #[must_use]
    pub fn emits<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.emits.extend(events.into_iter().map(Into::into));
        self
    }

    /// Adds RPCs that the service serves: it reads their requests, and sends their responses and errors. It doesn't
    /// call them unless [`calls`](Self::calls) adds them too.
    #[must_use]
    pub fn serves<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.serves.extend(rpcs.into_iter().map(Into::into));
        self
    }

    /// Adds RPCs that the service calls. It doesn't serve them unless [`serves`](Self::serves) adds them too.
    #[must_use]
    pub fn calls<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.calls.extend(rpcs.into_iter().map(Into::into));
        self
    }

    /// Sets the role for the context and all events that aren't named.
    #[must_use]
    pub(crate) fn rest(self, rest: Role) -> Self {
        Self { rest, ..self }
    }

    pub(crate) fn of(&self, subject: &Subject) -> Role {
        let (reads, sends) = match subject.kind {
            ContractKind::Context => return self.rest,
            ContractKind::Event => (&self.listens, &self.emits),
            ContractKind::Request => (&self.serves, &self.calls),
            ContractKind::Response | ContractKind::Error => (&self.calls, &self.serves),
        };
        match (reads.contains(&subject.name), sends.contains(&subject.name)) {
            (true, true) => Role::Both,
            (true, false) => Role::Listener,
            (false, true) => Role::Producer,
            (false, false) if subject.kind.way().is_some() => Role::Both,
            (false, false) => self.rest,
        }
    }

    /// Reports names that no contract has. A name for which `compiles` is false is reported as left out.
    pub(crate) fn unknown(
        &self,
        folder: &str,
        compiles: impl Fn(ContractKind, &str) -> bool,
        sources: &Sources,
        problems: &mut Vec<Problem>,
    ) {
        let named = |kind| sources.contracts.iter().filter(move |contract| contract.kind == kind);
        let (event, rpc) = (ContractKind::Event, ContractKind::Request);
        let all = [
            ("listens", event, &self.listens),
            ("emits", event, &self.emits),
            ("serves", rpc, &self.serves),
            ("calls", rpc, &self.calls),
        ];
        for (method, kind, names) in all {
            for name in names.iter().filter(|name| !named(kind).any(|contract| contract.name == **name)) {
                let near =
                    similar::nearest(name, named(kind).map(|contract| contract.name.as_str())).map(str::to_owned);
                let message = match compiles(kind, name) {
                    true => LockError::NoRole { name: name.clone(), near, method },
                    false => LockError::LeftOut { name: name.clone(), method },
                };
                let message = message.to_string();
                problems.push(Problem { file: folder.to_owned(), at: None, kind: ProblemKind::Lock { message } });
            }
        }
    }
}
