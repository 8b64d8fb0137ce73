//! The contracts of a schemas folder, as several commands need them: read and checked as a build script does it, and as the
//! `jsonschema` crate validates them. [`violation`] tells what a value breaks.
//!
//! Values are held to contracts by that crate and not by generated code: there is none here, and the two are held to be one by
//! the suite that `cargo xtask conformance` runs.

mod violation;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Draft, Registry, Resource, Validator};
use serde_json::Value;
use twyla_build::compare::{ContractKind, ContractSchema, SchemaPath, Sources};
use twyla_build::{Builder, Problems};
use twyla_contract::{Place, similar};

pub(crate) use violation::Violation;

/// What the names of the folder's files begin with, where they are resources.
const ROOT: &str = "twyla:///";

/// Where the schemas are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Folder {
    /// The schemas folder; else the `schemas` of this folder, or of the nearest one around it that has some.
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// A document that schemas refer to by its URI, where build.rs has one too.
    #[arg(long, value_name = "URI=FILE", value_parser = document)]
    document: Vec<(String, PathBuf)>,
}

fn document(text: &str) -> Result<(String, PathBuf), String> {
    let (uri, file) = text.rsplit_once('=').ok_or_else(|| "write URI=FILE".to_owned())?;
    Ok((uri.to_owned(), file.into()))
}

/// Why there are no contracts, or not that one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no folder `schemas` here, nor in a folder around: say where it is, with --schemas")]
    NoFolder,
    #[error("{}", told(problems))]
    Problems { problems: Problems },
    #[error("{folder} declares no event {name}{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    NoEvent { folder: String, name: String, near: Option<String> },
    #[error("{path} can't be read: {error}")]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{path} is no JSON: {error}")]
    NoJson { path: PathBuf, error: serde_json::Error },
    #[error("{place}: {error}")]
    Schema { place: Place, error: String },
}

fn told(Problems(problems): &Problems) -> String {
    let lines: Vec<String> = problems.iter().filter(|it| it.is_error()).map(ToString::to_string).collect();
    lines.join("\nerror: ")
}

impl Folder {
    /// Its path, where it was found.
    pub(crate) fn path(&self) -> Result<PathBuf, Error> {
        if let Some(path) = &self.schemas {
            return Ok(path.clone());
        }
        let here = std::env::current_dir().map_err(|_| Error::NoFolder)?;
        let mut found = here.ancestors().enumerate().filter(|(_, it)| it.join("schemas").is_dir());
        // shown as it is reached from here
        let up = found.next().map(|(up, _)| up).ok_or(Error::NoFolder)?;
        Ok(Path::new(&"../".repeat(up)).join("schemas"))
    }

    /// How a build script reads it.
    pub(crate) fn builder(&self) -> Result<Builder, Error> {
        let builder = Builder::new(self.path()?);
        Ok(self.document.iter().fold(builder, |builder, (uri, file)| builder.document(uri, file)))
    }

    /// Its contracts, checked.
    pub(crate) fn open(&self) -> Result<Contracts, Error> {
        let path = self.path()?;
        let sources = self.builder()?.contracts().map_err(|problems| Error::Problems { problems })?;
        let mut registry = Registry::new();
        let mut open = vec![path.clone()];
        let mut resources = Vec::new();
        while let Some(folder) = open.pop() {
            let unreadable = |error| Error::Unreadable { path: folder.clone(), error };
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?.path();
                if entry.is_dir() {
                    open.push(entry);
                } else if entry.extension().is_some_and(|it| it == "json") {
                    let below = entry.strip_prefix(&path).unwrap_or(&entry).to_string_lossy().replace('\\', "/");
                    resources.push((format!("{ROOT}{}", encoded(&below)), read(&entry)?));
                }
            }
        }
        for (uri, file) in &self.document {
            resources.push((uri.clone(), read(file)?));
        }
        for (uri, value) in resources {
            let resource: Resource = Draft::default().detect(&value).create_resource(value);
            registry = registry.add(uri, resource).map_err(|error| unresolved(&path, &error))?;
        }
        let registry = registry.prepare().map_err(|error| unresolved(&path, &error))?;
        Ok(Contracts { folder: path.display().to_string(), sources, registry })
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
fn decoded(uri: &str) -> String {
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
    pub(crate) folder: String,
    pub(crate) sources: Sources,
    pub(crate) registry: Registry<'static>,
}

/// One contract, with what holds values to it.
pub(crate) struct Contract<'a> {
    pub(crate) schema: &'a ContractSchema,
    pub(crate) validator: Validator,
    all: &'a Contracts,
}

impl Contracts {
    /// The contract of an event, or `context`.
    pub(crate) fn contract(&self, name: &str) -> Result<Contract<'_>, Error> {
        let kind = if name == "context" { ContractKind::Context } else { ContractKind::Event };
        let schema = self.sources.contract(kind, name).ok_or_else(|| {
            let near = similar::nearest(name, self.names()).map(str::to_owned);
            Error::NoEvent { folder: self.folder.clone(), name: name.to_owned(), near }
        })?;
        let options = jsonschema::options()
            .with_registry(&self.registry)
            .with_base_uri(ROOT)
            .should_validate_formats(schema.bundle.asserts_formats());
        let validator = options
            .build(&serde_json::json!({ "$ref": self.uri(schema) }))
            .map_err(|error| Error::Schema { place: schema.place.clone(), error: error.to_string() })?;
        Ok(Contract { schema, validator, all: self })
    }

    /// The names of everything that is a contract.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let known = |it: &&ContractSchema| matches!(it.kind, ContractKind::Context | ContractKind::Event);
        self.sources.contracts.iter().filter(known).map(|it| &*it.name)
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
        let mut found: BTreeMap<(String, String), Violation> = BTreeMap::new();
        for error in self.validator.iter_errors(value) {
            let violation = Violation::new(&error, self.all);
            found.entry((violation.pointer.clone(), violation.rule.clone())).or_insert(violation);
        }
        found.into_values().collect()
    }

    /// Whether it breaks nothing.
    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }
}
