//! What a service does with each contract: only the directions that this makes matter are demanded of it.

use std::collections::BTreeSet;

use twyla_contract::similar;

use super::fault::Fault;
use super::model::{Direction, Subject};
use crate::compare::{ContractKind, Sources};
use crate::problem::{Problem, What};

/// What a service does with events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It may emit them and listen to them, or nobody has said what it does.
    #[default]
    Both,
    /// It only emits them: what it sends must fit the listeners that are there.
    Producer,
    /// It only listens to them: what the producers that are there send must fit it.
    Listener,
}

impl Role {
    /// Whether a direction is demanded of it.
    #[must_use]
    pub fn demands(self, direction: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::Producer => direction == Direction::NewToOld,
            Self::Listener => direction == Direction::OldToNew,
        }
    }
}

/// What a service does with each contract, as far as it was said.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    rest: Role,
    listens: BTreeSet<String>,
    emits: BTreeSet<String>,
}

impl Roles {
    /// With the same role for everything that isn't named, the context included.
    #[must_use]
    pub fn new(rest: Role) -> Self {
        Self { rest, ..Self::default() }
    }

    /// With events that the service listens to, and doesn't emit unless that is said as well.
    #[must_use]
    pub fn listens<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.listens.extend(events.into_iter().map(Into::into));
        self
    }

    /// With events that the service emits, and doesn't listen to unless that is said as well.
    #[must_use]
    pub fn emits<T: Into<String>>(mut self, events: impl IntoIterator<Item = T>) -> Self {
        self.emits.extend(events.into_iter().map(Into::into));
        self
    }

    /// With another role for what isn't named.
    #[must_use]
    pub(crate) fn rest(self, rest: Role) -> Self {
        Self { rest, ..self }
    }

    pub(crate) fn of(&self, subject: &Subject) -> Role {
        match subject.kind {
            ContractKind::Context => self.rest,
            ContractKind::Event => match (self.listens.contains(&subject.name), self.emits.contains(&subject.name)) {
                (true, true) => Role::Both,
                (true, false) => Role::Listener,
                (false, true) => Role::Producer,
                (false, false) => self.rest,
            },
        }
    }

    /// The names that the folder doesn't have.
    pub(crate) fn unknown(&self, folder: &str, sources: &Sources, problems: &mut Vec<Problem>) {
        let events = || sources.contracts.iter().filter(|contract| contract.kind == ContractKind::Event);
        for (method, names) in [("listens", &self.listens), ("emits", &self.emits)] {
            for name in names.iter().filter(|name| !events().any(|event| event.name == **name)) {
                let near = similar::nearest(name, events().map(|event| event.name.as_str())).map(str::to_owned);
                let fault = Box::new(Fault::NoRole { name: name.clone(), near, method });
                problems.push(Problem { file: folder.to_owned(), at: None, what: What::Lock { fault } });
            }
        }
    }
}
