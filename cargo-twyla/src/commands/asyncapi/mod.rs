//! `cargo twyla asyncapi`: the contracts as an AsyncAPI 3 document, which `cargo twyla import` reads back. [`document`] writes it,
//! and [`schema`] converts schemas in both directions.

mod document;
pub(crate) mod schema;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::commands::manifest;
use crate::support::contracts::Contracts;
use crate::support::json::Json;
use crate::support::output;
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;
use document::Info;

/// Write the contracts as an AsyncAPI 3 document.
///
/// Each event is a channel with its exchange and routing key on RabbitMQ, each RPC a channel with a request and its replies.
/// `cargo twyla import` makes the same contracts from the document.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla asyncapi > asyncapi.json
  cargo twyla asyncapi --manifests bot.contracts.json    what that service sends and receives
  cargo twyla import asyncapi.json -o schemas            and back")]
pub(crate) struct Args {
    /// Write it to this file. Default: standard output.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The title of the document. Default: the service's name, or "Contracts".
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The version of the described API. Default: the service's version, or 1.0.0.
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
    /// The manifest of a service: include only what it emits, listens to, serves and calls.
    #[arg(short, long, alias = "manifest", value_name = "FILE")]
    manifests: Option<PathBuf>,
    #[command(flatten)]
    place: SchemasArgs,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{} can't be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: {why}", path.display())]
    NoJson { path: PathBuf, why: String },
    #[error("{}#{pointer} is called `$ref`, and AsyncAPI's tools take it for a reference: give it another name", path.display())]
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
                if let Some(pointer) = schema::unsayable(&json) {
                    return Err(Error::Unsayable { path, pointer }.into());
                }
                files.insert(document.to_owned(), json);
            }
        }
        let manifest = self.manifests.as_deref().map(manifest::read::read).transpose()?.map(|it| it.manifest);
        let own = |it: &manifest::model::Manifest| (it.service.clone(), it.version.clone());
        let (title, version) = manifest.as_ref().map_or_else(|| ("Contracts".to_owned(), "1.0.0".to_owned()), own);
        let info = Info { title: self.title.unwrap_or(title), version: self.api_version.unwrap_or(version) };
        let text = document::document(&contracts, files, &info, manifest.as_ref()).text();
        match self.out {
            Some(path) => output::write(&path, text)?,
            None => crate::support::paint::stdout().write_all(text.as_bytes())?,
        }
        Ok(Outcome::Fine)
    }
}

fn read(path: &Path) -> Result<Json, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Unreadable { path: path.to_owned(), error })?;
    Json::parse(&text).map_err(|why| Error::NoJson { path: path.to_owned(), why })
}
