//! The contracts of a schemas folder, as several commands need them: read and checked as a build script does it, and as the
//! `jsonschema` crate validates them.
//!
//! Values are held to contracts by that crate and not by generated code: there is none here, and the two are held to be one by
//! the suite that `cargo xtask conformance` runs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Draft, Registry, Resource};
use referencing::{RegistryBuilder, Resolver, SPECIFICATIONS};
use serde_json::Value;
use twyla_build::compare::{ContractKind, ContractSchema, SchemaPath, Sources};
use twyla_build::{Builder, settings};
use twyla_contract::{Place, similar};

use crate::schemas::{self, Where};

/// What the names of the folder's files begin with, where they are resources.
const ROOT: &str = "twyla:///";

/// Why there are no contracts, or not that one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Folder(#[from] schemas::Error),
    #[error("{folder} declares no contract {name}{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    NoContract { folder: String, name: String, near: Option<String> },
    #[error("{name} is an RPC, say which of its contracts: {}", of_it.join(", "))]
    WholeRpc { name: String, of_it: Vec<String> },
    #[error("{path} can't be read: {error}")]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{path} is no JSON: {error}")]
    NoJson { path: PathBuf, error: serde_json::Error },
    #[error("--envelope is for events: {what} has none of its own")]
    NoEnvelope { what: String },
    #[error("{place}: {error}")]
    Schema { place: Place, error: String },
}

impl Contracts {
    /// The contracts of a folder, checked as a build script checks them.
    pub(crate) fn open(place: &Where) -> Result<Self, Error> {
        let folder = place.find()?;
        let builder = folder.builder(folder.lock()?.as_ref());
        let sources = builder.contracts().map_err(schemas::Error::Problems)?;
        let drafts = sources.contracts.first().map(|it| it.bundle.default_draft()).unwrap_or_default();
        let path = folder.path.clone();
        let mut open = vec![path.clone()];
        let mut resources = Vec::new();
        while let Some(folder) = open.pop() {
            let unreadable = |error| Error::Unreadable { path: folder.clone(), error };
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?.path();
                if entry.is_dir() {
                    open.push(entry);
                } else if entry.extension().is_some_and(|it| it == "json") && entry != path.join(settings::FILE_NAME) {
                    let below = entry.strip_prefix(&path).unwrap_or(&entry).to_string_lossy().replace('\\', "/");
                    resources.push((format!("{ROOT}{}", encoded(&below)), read(&entry)?));
                }
            }
        }
        for (uri, file) in folder.documents() {
            resources.push((uri, read(&file)?));
        }
        let resources = resources.into_iter().map(|(uri, mut value)| {
            name_drafts(&mut value, &|uri| folder.dialect(uri));
            let resource: Resource = draft(drafts).detect(&value).create_resource(value);
            (uri, resource)
        });
        let registry = SPECIFICATIONS.extend(resources).and_then(RegistryBuilder::prepare);
        let registry = registry.map_err(|error| unresolved(&path, &error))?;
        Ok(Self { folder: folder.shown, builder, sources, registry })
    }
}

fn draft(draft: twyla_build::Draft) -> Draft {
    match draft {
        twyla_build::Draft::Draft4 => Draft::Draft4,
        twyla_build::Draft::Draft6 => Draft::Draft6,
        twyla_build::Draft::Draft7 => Draft::Draft7,
        twyla_build::Draft::Draft201909 => Draft::Draft201909,
        twyla_build::Draft::Draft202012 => Draft::Draft202012,
    }
}

/// Writes a custom `$schema` that stands for a draft as that draft's own, which is what the crate knows.
fn name_drafts(schema: &mut Value, dialect: &impl Fn(&str) -> Option<twyla_build::Draft>) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| name_drafts(item, dialect)),
        Value::Object(members) => {
            for (keyword, value) in members {
                match (keyword.as_str(), value) {
                    ("$schema", value) => {
                        if let Some(known) = value.as_str().and_then(dialect) {
                            *value = known.uri().into();
                        }
                    }
                    // values, which may look like schemas
                    ("enum" | "const" | "default" | "examples", _) => {}
                    (_, value) => name_drafts(value, dialect),
                }
            }
        }
        _ => {}
    }
}

fn unresolved(path: &Path, error: &jsonschema::ReferencingError) -> Error {
    let place = Place { file: path.display().to_string(), line: 1, column: 1 };
    Error::Schema { place, error: error.to_string() }
}

fn read(path: &Path) -> Result<Value, Error> {
    let text = fs::read(path).map_err(|error| Error::Unreadable { path: path.to_owned(), error })?;
    serde_json::from_slice(&text).map_err(|error| Error::NoJson { path: path.to_owned(), error })
}

/// A path in a URI.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// And back.
pub(crate) fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [byte, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(escaped)) => {
                bytes.push(escaped);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The contracts of a folder.
pub(crate) struct Contracts {
    /// The folder, as messages show it.
    pub(crate) folder: String,
    pub(crate) builder: Builder,
    pub(crate) sources: Sources,
    pub(crate) registry: Registry<'static>,
}

/// What a contract is called on the command line.
pub(crate) fn name_of(schema: &ContractSchema) -> String {
    match schema.kind.way() {
        Some(way) => format!("{}/{way}", schema.name),
        None => schema.name.clone(),
    }
}

/// One contract, with what holds values to it.
pub(crate) struct Contract<'a> {
    pub(crate) schema: &'a ContractSchema,
    /// What values are made of it and held to it by.
    pub(crate) held: twyla_sample::Contract<'a>,
    all: &'a Contracts,
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    /// Where in the value: a JSON Pointer.
    pub(crate) pointer: String,
    pub(crate) keyword: String,
    /// Where the rule stands.
    pub(crate) place: Option<Place>,
    /// The rule and the value in words.
    pub(crate) message: String,
}

impl fmt::Display for Violation {
    /// `/emission: "" has 0 characters, and at least 1 is needed`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(root)" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

impl Contracts {
    /// The contract of that name: an event's, `context`, or `<service>.<method>/request` and so on.
    pub(crate) fn contract(&self, name: &str) -> Result<Contract<'_>, Error> {
        let named = self.named(name)?;
        match named.iter().find(|it| name_of(it) == name) {
            Some(schema) => self.of(schema),
            None => Err(Error::WholeRpc { name: name.to_owned(), of_it: named.iter().map(|it| name_of(it)).collect() }),
        }
    }

    /// The same, or all contracts of an RPC, where that is what is named. At least one.
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

    /// The contract that a schema of the folder is.
    pub(crate) fn of<'a>(&'a self, schema: &'a ContractSchema) -> Result<Contract<'a>, Error> {
        let (formats, asserted) = (schema.bundle.asserts_formats(), schema.bundle.asserted_formats());
        let held = twyla_sample::Contract::asserting(&self.registry, self.uri(schema), ROOT, formats, asserted)
            .map_err(|error| Error::Schema { place: schema.place.clone(), error: error.to_string() })?;
        let held = held.objects(schema.kind != ContractKind::Response);
        Ok(Contract { schema, held, all: self })
    }

    /// The context that goes with an event in its envelope.
    pub(crate) fn around(&self, event: &Contract<'_>) -> Result<Contract<'_>, Error> {
        let kind = event.schema.kind;
        match kind.way() {
            None if kind == ContractKind::Event => self.contract("context"),
            None => Err(Error::NoEnvelope { what: "a context".to_owned() }),
            Some(way) => Err(Error::NoEnvelope { what: format!("the {way} of an RPC") }),
        }
    }

    /// A contract's schema, with what its references are read from.
    pub(crate) fn root(&self, schema: &ContractSchema) -> Option<(&Value, Resolver<'_>, Draft)> {
        let uri = self.uri(schema);
        let base = jsonschema::uri::from_str(&uri).ok()?;
        Some(self.registry.resolver(base).lookup(&uri).ok()?.into_inner())
    }

    /// The resource that a contract's schema is.
    pub(crate) fn uri(&self, schema: &ContractSchema) -> String {
        format!("{ROOT}{}", encoded(schema.bundle.root()))
    }

    /// Where a keyword stands, given the URI that the validator has for it.
    pub(crate) fn place(&self, uri: &str) -> Option<Place> {
        let (document, pointer) = uri.split_once('#').unwrap_or((uri, ""));
        let document = document.strip_prefix(ROOT).map_or_else(|| document.to_owned(), decoded);
        self.sources.place(&SchemaPath { document, pointer: decoded(pointer) })
    }
}

impl Contract<'_> {
    /// Everything that a value breaks, each thing once, in the value's order.
    pub(crate) fn violations(&self, value: &Value) -> Vec<Violation> {
        self.held.violations(value).into_iter().map(|it| self.placed(it)).collect()
    }

    /// With the place where its rule stands.
    pub(crate) fn placed(&self, violation: twyla_sample::Violation) -> Violation {
        let place = self.all.place(&violation.rule);
        let twyla_sample::Violation { pointer, keyword, message, .. } = violation;
        Violation { pointer, keyword, place, message }
    }
}
