//! The contracts of a schemas folder, read and checked as a build script does.
//!
//! Values are checked by the evaluator of the comparison (`twyla_build::compare`), because there is no generated code here.
//! `cargo xtask conformance` checks that the two agree, and that both agree with the `jsonschema` crate.

use std::fmt;
use std::io;

use serde_json::Value;
use twyla_build::Builder;
use twyla_build::compare::{ContractKind, ContractSchema, Schema, SchemaPath, SchemaSet, Sources};
use twyla_contract::{Location, similar};

use crate::support::schemas::{self, Folder, SchemasArgs};
use crate::support::text::did_you_mean;

/// The error of contracts that can't be read, or of a contract that doesn't exist.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Folder(#[from] schemas::Error),
    #[error("{folder} has no contract {name}{}", did_you_mean(near.as_deref()))]
    NoContract { folder: String, name: String, near: Option<String> },
    #[error("{name} is an RPC: name one of its contracts, {}", of_it.join(", "))]
    WholeRpc { name: String, of_it: Vec<String> },
    #[error("--envelope is for events: {what} has no envelope")]
    NoEnvelope { what: String },
    #[error("a thread can't be started: {0}")]
    NoThread(io::Error),
}

impl Contracts {
    /// Reads and checks the contracts of a folder.
    pub(crate) fn open(place: &SchemasArgs) -> Result<Self, Error> {
        let folder = place.find()?;
        let builder = folder.builder(folder.lock()?.as_ref());
        let sources = builder.contracts().map_err(schemas::Error::Problems)?;
        let schemas = sources.schemas();
        Ok(Self { folder: folder.shown.clone(), place: folder, builder, sources, schemas })
    }
}

/// The contracts of a folder.
pub(crate) struct Contracts {
    /// The folder, for messages.
    pub(crate) folder: String,
    /// The folder itself.
    pub(crate) place: Folder,
    pub(crate) builder: Builder,
    pub(crate) sources: Sources,
    schemas: SchemaSet,
}

/// Returns the name of a contract on the command line.
pub(crate) fn name_of(schema: &ContractSchema) -> String {
    match schema.kind.way() {
        Some(way) => format!("{}/{way}", schema.name),
        None => schema.name.clone(),
    }
}

/// One contract, to check values against.
pub(crate) struct Contract<'a> {
    pub(crate) schema: &'a ContractSchema,
    /// Makes and checks values.
    pub(crate) held: twyla_sample::Contract<'a>,
    all: &'a Contracts,
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    /// The place in the value, as a JSON Pointer.
    pub(crate) pointer: String,
    pub(crate) keyword: String,
    /// The place of the rule.
    pub(crate) place: Option<Location>,
    /// The rule and the value.
    pub(crate) message: String,
}

impl fmt::Display for Violation {
    /// Writes the broken rule: `/emission: "" has 0 characters, and at least 1 is needed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(root)" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

impl Contracts {
    /// Returns a contract by its name: an event, `context`, or `<service>.<method>/request` and so on.
    pub(crate) fn contract(&self, name: &str) -> Result<Contract<'_>, Error> {
        let named = self.named(name)?;
        match named.iter().find(|it| name_of(it) == name) {
            Some(schema) => self.of(schema),
            None => Err(Error::WholeRpc { name: name.to_owned(), of_it: named.iter().map(|it| name_of(it)).collect() }),
        }
    }

    /// Returns the contract of this name, or all contracts of the RPC of this name; at least one.
    pub(crate) fn named(&self, name: &str) -> Result<Vec<&ContractSchema>, Error> {
        let all = &self.sources.contracts;
        let meant = |it: &&ContractSchema| name_of(it) == name || (it.kind.way().is_some() && it.name == name);
        let found: Vec<_> = all.iter().filter(meant).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let mut names: Vec<String> = all.iter().map(name_of).collect();
        names.extend(all.iter().map(|it| it.name.clone()));
        let near = similar::nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
        Err(Error::NoContract { folder: self.folder.clone(), name: name.to_owned(), near })
    }

    /// Returns the contract of a schema of the folder.
    pub(crate) fn of<'a>(&'a self, schema: &'a ContractSchema) -> Result<Contract<'a>, Error> {
        let nothing = || Error::NoContract { folder: self.folder.clone(), name: name_of(schema), near: None };
        let root = self.root(schema).ok_or_else(nothing)?;
        let held = twyla_sample::Contract::new(root, &schema.bundle).map_err(Error::NoThread)?;
        let held = held.objects(schema.kind != ContractKind::Response);
        Ok(Contract { schema, held, all: self })
    }

    /// Returns the context's contract for an event's envelope; an error for a contract that has no envelope.
    pub(crate) fn around(&self, event: &Contract<'_>) -> Result<Contract<'_>, Error> {
        let kind = event.schema.kind;
        match kind.way() {
            None if kind == ContractKind::Event => self.contract("context"),
            None => Err(Error::NoEnvelope { what: "a context".to_owned() }),
            Some(way) => Err(Error::NoEnvelope { what: format!("the {way} of an RPC") }),
        }
    }

    /// Returns a contract's root schema.
    pub(crate) fn root(&self, schema: &ContractSchema) -> Option<Schema<'_>> {
        self.schemas.schema(&SchemaPath { document: schema.bundle.root().to_owned(), pointer: String::new() })
    }

    /// Returns the place of a keyword.
    pub(crate) fn place(&self, path: &SchemaPath) -> Option<Location> {
        self.sources.place(path)
    }
}

impl Contract<'_> {
    /// Returns the rules that a value breaks which was read from a text, each once, in the value's order.
    pub(crate) fn violations(&self, text: &str, value: &Value) -> Vec<Violation> {
        self.held.violations_in(text, value).into_iter().map(|it| self.placed(it)).collect()
    }

    /// Adds the location of the rule to a violation.
    pub(crate) fn placed(&self, violation: twyla_sample::Violation) -> Violation {
        let place = self.all.place(&violation.rule);
        let twyla_sample::Violation { pointer, keyword, message, .. } = violation;
        Violation { pointer, keyword, place, message }
    }
}
