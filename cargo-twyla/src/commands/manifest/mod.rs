//! `cargo twyla manifest`: lists what a built service emits, listens to, serves and calls.
//!
//! [`program`] builds the service, [`binary`] finds the contract records in it, [`model`] is the manifest, and [`read`] parses one.
//! [`card`] makes the manifest of a service that isn't written in Rust.
//!
//! The schemas come from the program, not from the schemas folder: the folder may have been edited since, may belong to another
//! package, or may be read by a build script with other options. So a program that was built anywhere can be listed, without its
//! sources. Its records are checked against their digests.

mod binary;
mod card;
pub(crate) mod model;
mod program;
pub(crate) mod read;

use std::error::Error as StdError;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use twyla_build::compare::Bundle;

use crate::support::output;
use crate::support::paint::say;
use crate::support::run::{Outcome, Run};
use model::{Contents, FORMAT, Manifest, Version, in_lines};
use program::{BuildArgs, Program};

/// Write the manifest of a service: what it emits, listens to, serves and calls.
///
/// The program is built, but not run; no broker is needed. Each call of `emit` in its code leaves a record of the event, with the
/// schemas, in the program. A service in another language has a card, a TOML file that says the same.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla manifest --release                         builds the service of this folder and writes <service>.contracts.json
  cargo twyla manifest -p bot --previous fleet/bot.contracts.json -o fleet/bot.contracts.json
  cargo twyla manifest -p bot -- --features s3 --target x86_64-unknown-linux-musl
  cargo twyla manifest target/release/bot --version 1.4.0    the manifest of a built program
  cargo twyla manifest --card greeter/service.toml           the manifest of a service in another language

A card:
  name = \"greeter\"
  version = \"1.4.0\"
  schemas = \"../schemas\"        # from the card's folder
  revision = \"v1.4.0\"           # of the schemas, in git; without it, the schemas as they are
  emits = [\"bot.reply\"]
  listens = [{ event = \"api.user_input\", group = \"bot\" }]
  serves = [\"navitaire-api.get_booking\"]
  calls = []")]
pub(crate) struct Args {
    /// Read this program, which is already built, instead of building one.
    #[arg(value_name = "PROGRAM", conflicts_with_all = ["package", "bin", "release", "manifest_path", "cargo"])]
    path: Option<PathBuf>,
    #[command(flatten)]
    which: BuildArgs,
    /// Read the card of a service that isn't written in Rust, instead of building a program.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["path", "package", "bin", "release", "manifest_path", "cargo"])]
    card: Option<PathBuf>,
    /// Use this schemas folder instead of the one that the card names.
    #[arg(long, value_name = "DIR", requires = "card")]
    schemas: Option<PathBuf>,
    /// Use the schemas of this contracts crate instead of a folder: a package here or among the dependencies.
    #[arg(long = "contracts", value_name = "PACKAGE", requires = "card", conflicts_with = "schemas")]
    contracts_crate: Option<String>,
    /// The service's name. Default: the program's name.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The service's version. Default: the package's version.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// The environment that the service is deployed in, for example production.
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// Record that old versions keep running after a deployment, as apps on phones do.
    #[arg(long)]
    in_the_field: bool,
    /// Include the manifest of an earlier version that is still in use; can be given several times.
    #[arg(long, value_name = "FILE")]
    previous: Vec<PathBuf>,
    /// The file to write; `-` is standard output. Default: `<service>.contracts.json`.
    #[arg(short, long, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{path} can't be read: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{path} {error}")]
    Binary { path: PathBuf, error: binary::Error },
    #[error("{path} contains no version of the service: pass it with --version")]
    NoVersion { path: PathBuf },
    #[error(
        "{path} has no record of any contract: expected a service that is built with this version of twyla-runtime"
    )]
    Nothing { path: PathBuf },
    #[error("{path} has a schema that doesn't match its digest {digest}: {why}")]
    Schema { path: PathBuf, digest: String, why: String },
    #[error("{path} lacks the schema {digest}, {what}")]
    NoSchema { path: PathBuf, digest: String, what: String },
    #[error(
        "{path} is a manifest of the service {found}, not of {service}: --previous takes earlier versions of the same \
         service"
    )]
    OtherService { path: PathBuf, found: String, service: String },
    #[error(
        "{path} has the version {version}, which another --previous or the new manifest has too: change the package's \
         version, or pass --version"
    )]
    SameVersion { path: PathBuf, version: String },
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let mut manifest = match (&self.card, &self.path) {
            (Some(card), _) => card::manifest(card, self.schemas, self.contracts_crate)?,
            (None, Some(path)) => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let version = self.version.clone().ok_or_else(|| Error::NoVersion { path: path.clone() })?;
                of_program(&Program { path: path.clone(), name, version })?
            }
            (None, None) => of_program(&self.which.build()?)?,
        };
        manifest.service = self.service.unwrap_or(manifest.service);
        manifest.version = self.version.unwrap_or(manifest.version);
        manifest.environment = self.environment.or(manifest.environment);
        manifest.in_the_field |= self.in_the_field;
        for path in &self.previous {
            fold(&mut manifest, path)?;
        }
        let text = manifest.text()?;
        let output = self.out.unwrap_or_else(|| format!("{}.contracts.json", manifest.service).into());
        if output.as_os_str() == "-" {
            write!(crate::support::paint::stdout(), "{text}")?;
            return Ok(Outcome::Fine);
        }
        output::write(&output, text)?;
        let Manifest { service, version, emits, listens, serves, calls, .. } = &manifest;
        let counted = |count: usize, verb: &str| if count > 0 { format!(", {verb} {count}") } else { String::new() };
        let rpcs = counted(serves.len(), "serves") + &counted(calls.len(), "calls");
        let (emits, listens) = (emits.len(), listens.len());
        say!("{}: {service} {version} emits {emits}, listens to {listens}{rpcs}", output.display());
        Ok(Outcome::Fine)
    }
}

/// Returns the manifest of a program, from its records.
fn of_program(program: &Program) -> Result<Manifest, Error> {
    let path = || program.path.clone();
    let bytes = fs::read(&program.path).map_err(|error| Error::Unreadable { path: path(), error })?;
    let records = binary::records(&bytes).map_err(|error| Error::Binary { path: path(), error })?;
    let found = Contents::new(records);
    if found.is_empty() {
        return Err(Error::Nothing { path: path() });
    }
    let Contents { emits, listens, serves, calls, schemas: texts } = found;
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        service: program.name.clone(),
        version: program.version.clone(),
        environment: None,
        in_the_field: false,
        emits,
        listens,
        serves,
        calls,
        previous: Vec::new(),
        schemas: Default::default(),
    };
    let mut schemas = std::collections::BTreeMap::new();
    for (digest, what) in manifest.named() {
        if schemas.contains_key(digest) {
            continue;
        }
        let no_schema = || Error::NoSchema { path: path(), digest: digest.to_owned(), what: what.clone() };
        let text = texts.get(digest).ok_or_else(no_schema)?;
        let damaged = |why| Error::Schema { path: path(), digest: digest.to_owned(), why };
        let bundle = Bundle::parse(text).map_err(|problems| damaged(problems.to_string()))?;
        if bundle.digest() != digest {
            return Err(damaged(format!("the schema's actual digest is {}", bundle.digest())));
        }
        schemas.insert(digest.to_owned(), in_lines(&bundle).map_err(|error| damaged(error.to_string()))?);
    }
    manifest.schemas = schemas;
    Ok(manifest)
}

/// Adds the manifest of an earlier version to a new one. For a service in the field, adds its own earlier versions too.
fn fold(manifest: &mut Manifest, path: &Path) -> Result<(), Box<dyn StdError + Send + Sync>> {
    let old = read::read(path)?.manifest;
    let Manifest { service, version, emits, listens, serves, calls, schemas, previous, .. } = old;
    let path = path.to_owned();
    if service != manifest.service {
        return Err(Error::OtherService { path, found: service, service: manifest.service.clone() }.into());
    }
    if version == manifest.version || manifest.previous.iter().any(|it| it.name == version) {
        return Err(Error::SameVersion { path, version }.into());
    }
    let before = previous.into_iter().filter(|_| manifest.in_the_field);
    for old in std::iter::once(Version { name: version, emits, listens, serves, calls }).chain(before) {
        for (digest, _) in model::named(&old.emits, &old.listens, &old.serves, &old.calls) {
            if let Some(schema) = schemas.get(digest) {
                manifest.schemas.entry(digest.to_owned()).or_insert_with(|| schema.clone());
            }
        }
        if !manifest.previous.iter().any(|it| it.name == old.name) {
            manifest.previous.push(old);
        }
    }
    Ok(())
}
