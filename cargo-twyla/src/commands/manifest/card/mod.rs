//! The card of a service that isn't written in Rust: a TOML file with what it emits, listens to, serves and calls.
//!
//! [`read`] parses the file and reports all its mistakes ([`mistake`]); this module finds the contracts that it names in a
//! schemas folder.

mod mistake;
mod read;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use twyla_build::compare::{Bundle, ContractKind, Sources};
use twyla_contract::similar::{self, DidYouMean};

use super::model::{Emits, FORMAT, Listens, Manifest, Rpc, in_lines};
use crate::support::revision::{self, Revision};
use crate::support::schemas::{self, Folder, SchemasArgs};
use crate::support::verb::Verb;
use mistake::Mistake;
use read::{Card, Named};

/// A card that can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{} can't be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("\n{}", list(mistakes))]
    Mistakes { mistakes: Vec<String> },
    #[error(transparent)]
    Schemas(#[from] schemas::Error),
    #[error(transparent)]
    Revision(#[from] revision::Error),
    #[error("\n{0}")]
    Problems(#[from] twyla_build::Problems),
}

fn list(mistakes: &[String]) -> String {
    mistakes.iter().map(|it| format!("error: {it}")).collect::<Vec<_>>().join("\n")
}

/// Returns the manifest of a card. Its contracts come from `schemas` or from the contracts crate, if given, and otherwise
/// from the folder that the card names.
pub(super) fn manifest(
    path: &Path,
    schemas: Option<PathBuf>,
    contracts_crate: Option<String>,
) -> Result<Manifest, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Unreadable { path: path.to_owned(), error })?;
    let shown = path.to_string_lossy().replace('\\', "/");
    let mistakes = |mut found: Vec<Mistake>| {
        found.sort();
        Error::Mistakes { mistakes: found.iter().map(|it| it.placed(&shown, &text)).collect() }
    };
    let card = read::read(&text).map_err(&mistakes)?;
    let beside = |folder: &String| path.parent().unwrap_or(Path::new("")).join(folder);
    let schemas = match &contracts_crate {
        Some(_) => None,
        None => schemas.or_else(|| card.schemas.as_ref().map(beside)),
    };
    let folder = SchemasArgs::of(schemas, contracts_crate).find()?;
    let named = card.revision.as_ref();
    let (sources, version) =
        contracts(&folder, named.map(|it| it.name.as_str())).map_err(|error| match (error, named) {
            (
                Error::Revision(error @ (revision::Error::NoRevision { .. } | revision::Error::NoFolder { .. })),
                Some(named),
            ) => mistakes(vec![Mistake { at: named.at, text: error.to_string() }]),
            (error, _) => error,
        })?;
    let mut contracts = Contracts { sources: &sources, folder: version, bundles: Vec::new(), mistakes: Vec::new() };
    let manifest = contracts.manifest(card);
    match contracts.mistakes {
        none if none.is_empty() => Ok(manifest),
        found => Err(mistakes(found)),
    }
}

/// Returns the contracts of a folder as they are, or as they were at a revision, and the name of the folder for messages.
fn contracts(folder: &Folder, revision: Option<&str>) -> Result<(Sources, String), Error> {
    let Some(revision) = revision else {
        let sources = folder.builder(folder.lock()?.as_ref()).contracts()?;
        return Ok((sources, folder.shown.clone()));
    };
    let then = Revision::find(&folder.path, revision)?;
    let shown = format!("{revision}:{}", folder.shown);
    let files = then.files()?;
    let lock = twyla_build::Builder::new(files.path()).shown_as(&shown).lock()?;
    Ok((folder.builder_of(files.path(), &shown, lock.as_ref()).contracts()?, shown))
}

/// Finds the contracts that a card names.
struct Contracts<'a> {
    sources: &'a Sources,
    /// The folder, for messages.
    folder: String,
    /// The bundles of the schemas that were found.
    bundles: Vec<&'a Bundle>,
    mistakes: Vec<Mistake>,
}

impl<'a> Contracts<'a> {
    fn manifest(&mut self, card: Card) -> Manifest {
        let mut emits: Vec<Emits> = Vec::new();
        for event in card.emits {
            if let Some((content, context)) = self.event(&event, Verb::Emits) {
                emits.push(Emits { event: event.name, content, context });
            }
        }
        let mut listens: Vec<Listens> = Vec::new();
        for listener in card.listens {
            if let Some((content, context)) = self.event(&listener.event, Verb::Listens) {
                let (event, group) = (listener.event.name, listener.group);
                let handler = listener.handler.unwrap_or_else(|| card.name.clone());
                listens.push(Listens { event, group, content, context, handler });
            }
        }
        let mut rpcs = |methods: Vec<Named>, verb| {
            let mut rpcs: Vec<Rpc> = methods.into_iter().filter_map(|method| self.rpc(&method, verb)).collect();
            rpcs.sort();
            rpcs
        };
        let (serves, calls) = (rpcs(card.serves, Verb::Serves), rpcs(card.calls, Verb::Calls));
        emits.sort();
        listens.sort();
        let schemas = self.bundles.iter().filter_map(|bundle| Some((bundle.digest(), in_lines(bundle).ok()?)));
        Manifest {
            format: FORMAT.to_owned(),
            service: card.name,
            version: card.version,
            environment: card.environment,
            in_the_field: card.in_the_field,
            emits,
            listens,
            serves,
            calls,
            previous: Vec::new(),
            schemas: schemas.collect(),
        }
    }

    /// Returns the digests of an event's content and context.
    fn event(&mut self, event: &Named, verb: Verb) -> Option<(String, String)> {
        match (self.digest(ContractKind::Event, &event.name), self.digest(ContractKind::Context, "context")) {
            (Some(content), Some(context)) => Some((content, context)),
            _ => {
                self.unknown(event, verb);
                None
            }
        }
    }

    fn rpc(&mut self, method: &Named, verb: Verb) -> Option<Rpc> {
        let name = &method.name;
        let request = self.digest(ContractKind::Request, name);
        let response = self.digest(ContractKind::Response, name);
        let context = self.digest(ContractKind::Context, "context");
        let (Some(request), Some(response), Some(context)) = (request, response, context) else {
            self.unknown(method, verb);
            return None;
        };
        let error = self.digest(ContractKind::Error, name);
        Some(Rpc { method: name.clone(), request, response, error, context })
    }

    fn digest(&mut self, kind: ContractKind, name: &str) -> Option<String> {
        let contract = self.sources.contract(kind, name)?;
        self.bundles.push(&contract.bundle);
        Some(contract.bundle.digest())
    }

    /// Reports a name that the folder doesn't have.
    fn unknown(&mut self, named: &Named, verb: Verb) {
        let of_kind = |kind: ContractKind| {
            let all = self.sources.contracts.iter().filter(move |it| it.kind == kind);
            all.map(|it| it.name.as_str())
        };
        let (kind, noun, other, other_noun) = match verb.is_of_rpc() {
            false => (ContractKind::Event, "event", ContractKind::Request, "RPC"),
            true => (ContractKind::Request, "RPC", ContractKind::Event, "event"),
        };
        let Named { name, at } = named;
        let text = if of_kind(other).any(|it| it == name) {
            format!("`{name}` is an {other_noun}, and `{}` names {noun}s", verb.key())
        } else {
            let near = DidYouMean(similar::nearest(name, of_kind(kind)));
            format!("{} declares no {noun} `{name}`{near}", self.folder)
        };
        self.mistakes.push(Mistake { at: *at, text });
    }
}
