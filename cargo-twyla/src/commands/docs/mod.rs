//! `cargo twyla docs`: the contracts as pages.
//!
//! [`site`] collects the content, with [`examples`], [`fields`], [`history`] and [`services`]. [`pages`] formats it as [`html`], with
//! the index of [`search`], and [`serve`] serves the pages while the schemas are edited.

mod error;
mod examples;
mod fields;
mod history;
mod html;
mod pages;
mod search;
mod serve;
mod services;
mod site;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::support::paint::{GOOD, paint, say};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;
use error::Error;
use site::SiteArgs;

/// Write the contracts' pages: every event and RPC with its fields, examples, changes, and who emits and listens.
///
/// The pages load nothing from elsewhere: open them from the disk, or put them on any web server.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla docs                                 writes target/contracts/index.html
  cargo twyla docs --manifests fleet/              also shows which services emit and listen, and a picture of the fleet
  cargo twyla docs --serve                         serves the pages at http://127.0.0.1:8090 and reloads them when a schema changes")]
pub(crate) struct Args {
    /// The folder to write the pages to.
    #[arg(short, long, alias = "into", value_name = "DIR", default_value = "target/contracts")]
    out: PathBuf,
    /// Manifests of the services, or folders of them; can be given several times.
    #[arg(short, long, value_name = "DIR|FILE")]
    manifests: Vec<PathBuf>,
    /// The title of the pages.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Serve the pages instead, and reload them when a schema or a manifest changes.
    #[arg(long)]
    serve: bool,
    /// The address to serve the pages on; port 0 is any free port.
    #[arg(long, alias = "at", value_name = "ADDRESS", default_value = "127.0.0.1:8090", requires = "serve")]
    address: SocketAddr,
    #[command(flatten)]
    place: SchemasArgs,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let asked = SiteArgs { place: self.place, manifests: self.manifests, title: self.title };
        if self.serve {
            serve::serve(asked, self.address)?;
            return Ok(Outcome::Fine);
        }
        let site = site::gather(&asked)?;
        let files = pages::files(&site, false);
        write(&self.out, &files)?;
        let (count, first) = (files.len(), self.out.join("index.html"));
        say!("{} in {} files", paint(GOOD, first.display()), count);
        Ok(Outcome::Fine)
    }
}

/// Writes the files that have changed, and removes the pages of contracts that are gone.
fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), Error> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::Unwritable { path, error }
    };
    // refuse a folder with files that this command didn't write
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    let is_ours = folder.join("site.js").is_file() && folder.join("search.js").is_file();
    if !is_empty && !is_ours {
        return Err(Error::NotOurs { path: folder.to_owned() });
    }
    for folder in [folder.to_owned(), folder.join("events"), folder.join("rpc")] {
        fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
    }
    for (below, text) in files {
        let path = folder.join(below);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        fs::write(&path, text).map_err(unwritable(&path))?;
    }
    for below in ["", "events", "rpc"] {
        let folder = folder.join(below);
        for entry in fs::read_dir(&folder).map_err(unwritable(&folder))?.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            if name.ends_with(".html") && !files.contains_key(&path) {
                fs::remove_file(entry.path()).map_err(unwritable(&entry.path()))?;
            }
        }
    }
    Ok(())
}
