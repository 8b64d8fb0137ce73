//! `cargo twyla asyncapi`: the contracts as an AsyncAPI 3 document, which `cargo twyla import` reads back. [`document`] writes it,
//! [`wire`] has the forms of events, and [`schema`] converts schemas in both directions.

mod document;
mod members;
pub(crate) mod schema;
mod wire;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::commands::fleet::load::{self, Inputs};
use crate::support::contracts::Contracts;
use crate::support::json::Json;
use crate::support::output;
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;
use document::{Info, Service};
use twyla_build::compare::ContractKind;
use wire::{Forms, WireArg};

/// Write the contracts as an AsyncAPI 3 document.
///
/// Each event is a channel with its exchange and routing key on RabbitMQ, each RPC a channel with a request and its replies.
/// `cargo twyla import` makes the same contracts from the document.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla asyncapi > asyncapi.json
  cargo twyla asyncapi --manifests bot.contracts.json    only the contracts of that service
  cargo twyla asyncapi --manifests fleet/                only the contracts of a folder of services
  cargo twyla asyncapi --wire shop=cloudevents-binary    with the events of a domain as CloudEvents
  cargo twyla import asyncapi.json -o schemas            converts it back to schemas")]
pub(crate) struct Args {
    /// Write the document to this file. Default: standard output.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The title of the document. Default: the service's name, or "Contracts".
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The version of the described API. Default: the service's version if all its environments have the same, or 1.0.0.
    #[arg(long, alias = "api-version", value_name = "VERSION")]
    version: Option<String>,
    /// Include only what the services of these manifests emit, listen to, serve and call: files, or a folder with files that end
    /// with .contracts.json.
    #[arg(short, long, alias = "manifest", value_name = "DIR|FILE")]
    manifests: Vec<PathBuf>,
    /// The form in which events are written: `envelope`, `cloudevents-binary` or `cloudevents-structured`, for all events, or
    /// `NAME=FORM` for an event or a domain. May be repeated. Default: envelope.
    #[arg(long, value_name = "[NAME=]FORM")]
    wire: Vec<WireArg>,
    #[command(flatten)]
    place: SchemasArgs,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("--wire {0}: the schemas folder has neither an event nor a domain of this name")]
    NoEvent(String),
    #[error("{} can't be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: {why}", path.display())]
    NoJson { path: PathBuf, why: String },
    #[error("the member {}#{pointer} is named `$ref`, which AsyncAPI's tools take for a reference: give it another \
             name", path.display())]
    Unsayable { path: PathBuf, pointer: String },
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let contracts = Contracts::open(&self.place)?;
        let folder = self.place.find()?;
        let given: BTreeMap<String, PathBuf> = folder.documents().into_iter().collect();
        let mut files = BTreeMap::new();
        for document in contracts.sources.contracts.iter().flat_map(|it| it.bundle.documents()) {
            if !files.contains_key(document) {
                let path = given.get(document).cloned().unwrap_or_else(|| folder.path.join(document));
                let json = read(&path)?;
                if let Some(pointer) = schema::unsupported(&json) {
                    return Err(Error::Unsayable { path, pointer }.into());
                }
                files.insert(document.to_owned(), json);
            }
        }
        let services = services(&self.manifests)?;
        let (title, version) = match services.as_deref() {
            Some([only]) => (only.name.as_str(), only.version.as_deref()),
            _ => ("Contracts", None),
        };
        let info = Info {
            title: self.title.unwrap_or_else(|| title.to_owned()),
            version: self.version.unwrap_or_else(|| version.unwrap_or("1.0.0").to_owned()),
        };
        let events = contracts.sources.contracts.iter().filter(|it| it.kind == ContractKind::Event);
        let forms = Forms::of(&self.wire, events.map(|it| it.name.as_str())).map_err(Error::NoEvent)?;
        let text = document::document(&contracts, files, &info, services.as_deref(), &forms).text();
        match self.out {
            Some(path) => output::write(&path, text)?,
            None => crate::support::paint::stdout().write_all(text.as_bytes())?,
        }
        Ok(Outcome::Fine)
    }
}

/// Reads manifests; `None` if none are given. A service that is deployed in several environments is one service.
fn services(paths: &[PathBuf]) -> Result<Option<Vec<Service>>, load::Error> {
    if paths.is_empty() {
        return Ok(None);
    }
    let fleets = load::load(&Inputs { paths, ..Inputs::default() })?.fleets;
    let mut services = BTreeMap::<String, Service>::new();
    for member in fleets.into_iter().flat_map(|fleet| fleet.members) {
        let Some(version) = member.now else { continue };
        let new = || Service::new(member.name.clone(), version.name.clone());
        services.entry(member.name.clone()).or_insert_with(new).add(&version);
    }
    Ok(Some(services.into_values().collect()))
}

fn read(path: &Path) -> Result<Json, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Unreadable { path: path.to_owned(), error })?;
    Json::parse(&text).map_err(|why| Error::NoJson { path: path.to_owned(), why })
}
