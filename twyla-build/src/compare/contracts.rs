//! The contracts of a schemas folder, one bundle each.

use std::collections::HashMap;

use twyla_contract::Location;

use super::bundle::Bundle;
use super::gather::Gatherer;
use super::schemas::{Links, SchemaSet};
use crate::schema::load::{At, File, FileRole, Node, RpcMessage, steps};
use crate::schema::path::SchemaPath;
use crate::schema::problem::Problem;
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::sensitive::Sensitive;

/// A contract of a schemas folder.
#[derive(Clone, Debug)]
pub struct ContractSchema {
    /// The event's name, `api.user_input`, or the RPC's, `navitaire-api.get_booking`; `context` for the context.
    pub name: String,
    /// The kind of values that the contract describes.
    pub kind: ContractKind,
    /// The place of the contract's schema.
    pub place: Location,
    /// The bundle of the contract: its schema with everything that it refers to.
    pub bundle: Bundle,
    /// The sensitive values (`"x-sensitive": true`): JSON Pointers (RFC 6901), in which a step `*` matches any item or member.
    pub sensitive: Vec<String>,
}

/// The kind of values that a contract describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContractKind {
    /// The context that every event carries.
    Context,
    /// The content of an event.
    Event,
    /// The request of an RPC.
    Request,
    /// The response of an RPC.
    Response,
    /// The error of an RPC.
    Error,
}

impl ContractKind {
    /// Returns the word for a message of an RPC, which is also the name of its file: `request`, `response` or `error`.
    /// `None` for the context and for an event.
    #[must_use]
    pub fn way(self) -> Option<&'static str> {
        RpcMessage::ALL.into_iter().find(|way| Self::from(*way) == self).map(RpcMessage::name)
    }

    /// Returns the kind of an RPC's message by its word; `None` if the word isn't one of [`way`](Self::way).
    #[must_use]
    pub fn of_way(word: &str) -> Option<Self> {
        RpcMessage::ALL.into_iter().find(|way| way.name() == word).map(Self::from)
    }
}

impl From<RpcMessage> for ContractKind {
    fn from(way: RpcMessage) -> Self {
        match way {
            RpcMessage::Request => Self::Request,
            RpcMessage::Response => Self::Response,
            RpcMessage::Error => Self::Error,
        }
    }
}

/// The contracts of a folder, and the places of their schemas.
#[derive(Debug)]
pub struct Sources {
    /// The context first, then the events sorted by name, then the requests, the responses and the errors of RPCs.
    pub contracts: Vec<ContractSchema>,
    /// The warnings: valid parts of schemas that are probably mistakes.
    pub warnings: Vec<Problem>,
    /// The files by their name in a [`SchemaPath`]: their name in messages, and their content.
    files: HashMap<String, (String, Node)>,
    links: Links,
}

impl Sources {
    /// Returns a contract by kind and name.
    #[must_use]
    pub fn contract(&self, kind: ContractKind, name: &str) -> Option<&ContractSchema> {
        self.contracts.iter().find(|contract| contract.kind == kind && contract.name == name)
    }

    /// Returns the target of a schema's `$ref`: a file of the folder, a document given with its URI, or a meta-schema.
    /// `None` if it has no `$ref`.
    #[must_use]
    pub fn reference(&self, from: &SchemaPath) -> Option<&SchemaPath> {
        self.links.reference(from)
    }

    /// Returns a view of all schemas of the folder.
    #[must_use]
    pub fn schemas(&self) -> SchemaSet {
        let documents = self.files.iter().map(|(name, (_, root))| (name.clone(), root.value()));
        SchemaSet::new(documents.collect(), self.links.clone())
    }

    /// Returns the place of a keyword in the folder's files, or the nearest place around it; `None` if no file has the
    /// document.
    #[must_use]
    pub fn place(&self, path: &SchemaPath) -> Option<Location> {
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
        Some(Location { file: shown.clone(), line, column })
    }
}

/// Returns the contracts of schemas that have no errors.
pub(crate) fn all(schemas: &Schemas, warnings: Vec<Problem>) -> Sources {
    let mut contracts: Vec<ContractSchema> = Vec::new();
    let sensitive = Sensitive::of(schemas);
    let mut gatherer = Gatherer::new(schemas);
    for (index, file) in schemas.files.iter().enumerate() {
        let (name, kind) = match &file.role {
            FileRole::Context => ("context".to_owned(), ContractKind::Context),
            FileRole::Event(name) => (name.to_string(), ContractKind::Event),
            FileRole::Rpc(name, way) => (name.to_string(), (*way).into()),
            FileRole::Shared
            | FileRole::BesideRpc
            | FileRole::Document
            | FileRole::MetaSchema
            | FileRole::LeftOut(_) => continue,
        };
        let root = Loc::root(index);
        let (bundle, sensitive) = (gatherer.bundle(&root), sensitive.within(&root));
        contracts.push(ContractSchema { name, kind, place: file.place(file.root.at), bundle, sensitive });
    }
    contracts.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let named = |file: &File| (file.path.clone(), (file.shown.clone(), file.root.clone()));
    let files = schemas.files.iter().map(named).collect();
    Sources { contracts, warnings, files, links: Links::of(schemas) }
}
