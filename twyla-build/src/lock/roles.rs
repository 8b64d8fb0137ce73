//! What a service does with each contract: only the directions that this makes matter are demanded of it.

use std::collections::BTreeSet;

use twyla_contract::similar;

use super::fault::Fault;
use super::model::{Direction, Subject};
use crate::compare::{ContractKind, Sources};
use crate::schema::problem::{Problem, What};

/// What a service does with events, or with what goes one way in an RPC.
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
    serves: BTreeSet<String>,
    calls: BTreeSet<String>,
}

impl Roles {
    /// With the same role for all events that aren't named, and for the context. Of an RPC that isn't named, both ways matter.
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

    /// With RPCs that the service serves, and doesn't call unless that is said as well: it reads their requests, and sends
    /// their responses and errors.
    #[must_use]
    pub fn serves<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.serves.extend(rpcs.into_iter().map(Into::into));
        self
    }

    /// With RPCs that the service calls, and doesn't serve unless that is said as well.
    #[must_use]
    pub fn calls<T: Into<String>>(mut self, rpcs: impl IntoIterator<Item = T>) -> Self {
        self.calls.extend(rpcs.into_iter().map(Into::into));
        self
    }

    /// With another role for what isn't named.
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

    /// The names that the folder doesn't have.
    pub(crate) fn unknown(&self, folder: &str, sources: &Sources, problems: &mut Vec<Problem>) {
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
                let message = Fault::NoRole { name: name.clone(), near, method }.to_string();
                problems.push(Problem { file: folder.to_owned(), at: None, what: What::Lock { message } });
            }
        }
    }
}
