//! The contracts of a schemas folder, each by itself.

use std::collections::HashMap;

use twyla_contract::Place;

use super::bundle::Bundle;
use super::gather;
use super::schemas::{Links, SchemaSet};
use crate::schema::load::{At, File, Node, Role, Way, steps};
use crate::schema::path::SchemaPath;
use crate::schema::problem::Problem;
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::sensitive::Sensitive;

/// A contract of a schemas folder.
#[derive(Clone, Debug)]
pub struct ContractSchema {
    /// The event's name, `api.user_input`, or the RPC's, `navitaire-api.get_booking`; `context` for the context.
    pub name: String,
    /// What is held to it.
    pub kind: ContractKind,
    /// Where its schema begins.
    pub place: Place,
    /// The schema with all that it leads to.
    pub bundle: Bundle,
    /// What is nobody's to see in a value of it, where schemas say `"x-sensitive": true`: JSON Pointers (RFC 6901), in which a
    /// step `*` is each item or member.
    pub sensitive: Vec<String>,
}

/// What is held to a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContractKind {
    /// The context that every event carries.
    Context,
    /// The content of an event.
    Event,
    /// What a caller of an RPC sends, and its service reads.
    Request,
    /// What an RPC's service sends, and the caller reads.
    Response,
    /// What an RPC's service sends where it can't do what was asked for.
    Error,
}

impl ContractKind {
    /// Of a contract of an RPC the word for it, which is its file's name too: `request`, `response` or `error`.
    #[must_use]
    pub fn way(self) -> Option<&'static str> {
        Way::ALL.into_iter().find(|way| Self::from(*way) == self).map(Way::name)
    }

    /// The kind that has that word.
    #[must_use]
    pub fn of_way(word: &str) -> Option<Self> {
        Way::ALL.into_iter().find(|way| way.name() == word).map(Self::from)
    }
}

impl From<Way> for ContractKind {
    fn from(way: Way) -> Self {
        match way {
            Way::Request => Self::Request,
            Way::Response => Self::Response,
            Way::Error => Self::Error,
        }
    }
}

/// The contracts of a folder, and where their schemas stand.
#[derive(Debug)]
pub struct Sources {
    /// The context first, then the events sorted by name, then the requests, the responses and the errors of RPCs.
    pub contracts: Vec<ContractSchema>,
    /// What is legal and probably a mistake.
    pub warnings: Vec<Problem>,
    /// The files by the name that a [`SchemaPath`] has for them: how messages show them, and what is in them.
    files: HashMap<String, (String, Node)>,
    links: Links,
}

impl Sources {
    /// The contract of that kind and name.
    #[must_use]
    pub fn contract(&self, kind: ContractKind, name: &str) -> Option<&ContractSchema> {
        self.contracts.iter().find(|contract| contract.kind == kind && contract.name == name)
    }

    /// Where the `$ref` of the schema that stands there leads: to a file of the folder, to a document that was given, or to a
    /// draft's meta-schema. None where it has no `$ref`.
    #[must_use]
    pub fn reference(&self, from: &SchemaPath) -> Option<&SchemaPath> {
        self.links.reference(from)
    }

    /// All schemas of the folder, to look into.
    #[must_use]
    pub fn schemas(&self) -> SchemaSet {
        let documents = self.files.iter().map(|(name, (_, root))| (name.clone(), root.value()));
        SchemaSet::new(documents.collect(), self.links.clone())
    }

    /// The place of a keyword in the folder's files; of what isn't there, the place of the nearest around it.
    #[must_use]
    pub fn place(&self, path: &SchemaPath) -> Option<Place> {
        let (shown, root) = self.files.get(&path.document)?;
        let (mut node, mut at) = (root, root.at);
        for step in steps(&path.pointer) {
            let inner = match node.member(&step) {
                Some(member) => Some((&member.value, member.key_at)),
                None => step.parse().ok().and_then(|index: usize| node.items().get(index)).map(|item| (item, item.at)),
            };
            let Some(found) = inner else { break };
            (node, at) = found;
        }
        let At { line, column } = at;
        Some(Place { file: shown.clone(), line, column })
    }
}

/// The contracts of schemas that were found free of errors.
pub(crate) fn all(schemas: &Schemas, warnings: Vec<Problem>) -> Sources {
    let mut contracts: Vec<ContractSchema> = Vec::new();
    let sensitive = Sensitive::of(schemas);
    for (index, file) in schemas.files.iter().enumerate() {
        let (name, kind) = match &file.role {
            Role::Context => ("context".to_owned(), ContractKind::Context),
            Role::Event(name) => (name.to_string(), ContractKind::Event),
            Role::Rpc(name, way) => (name.to_string(), (*way).into()),
            Role::Shared | Role::BesideRpc | Role::Document | Role::MetaSchema => continue,
        };
        let root = Loc::root(index);
        let (bundle, sensitive) = (gather::bundle(schemas, &root), sensitive.within(&root));
        contracts.push(ContractSchema { name, kind, place: file.place(file.root.at), bundle, sensitive });
    }
    contracts.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let named = |file: &File| (file.path.clone(), (file.shown.clone(), file.root.clone()));
    let files = schemas.files.iter().map(named).collect();
    Sources { contracts, warnings, files, links: Links::of(schemas) }
}
