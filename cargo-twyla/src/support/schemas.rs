//! Finds the schemas folder, and the settings to read it with.

use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use twyla_build::compare::Bundle;
use twyla_build::lock::{CheckOptions, Lock};
use twyla_build::{Builder, Draft, NoDraft, Problems, Settings};

use super::contracts_crate;
use super::progress::Progress;

/// The schemas folder and the settings to read it with; the settings are the same as in build.rs.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct SchemasArgs {
    /// The schemas folder. Default: `schemas` here or in the nearest folder above.
    #[arg(long, value_name = "DIR", help_heading = "Schemas")]
    pub(crate) schemas: Option<PathBuf>,
    /// The contracts crate whose schemas to use: a package here or among the dependencies.
    #[arg(long = "contracts", value_name = "PACKAGE", conflicts_with = "schemas", help_heading = "Schemas")]
    contracts_crate: Option<String>,
    /// The draft of schemas without `$schema`: 4, 6, 7, 2019-09 or 2020-12. Default: the draft in the lock.
    #[arg(long, value_name = "DRAFT", help_heading = "Schemas")]
    draft: Option<Draft>,
    /// Treat `format` as an annotation, as with `.formats(false)`. Default: the setting in the lock.
    #[arg(long, help_heading = "Schemas")]
    no_formats: bool,
    /// The draft that a custom `$schema` stands for, as with `.dialect(uri, draft)`.
    #[arg(long, value_name = "URI=DRAFT", value_parser = dialect, help_heading = "Schemas")]
    dialect: Vec<(String, Draft)>,
    /// Formats to validate in every draft, as with `.assert_formats(names)`: `uuid,duration`.
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', help_heading = "Schemas")]
    assert_formats: Vec<String>,
    /// A warning not to report: for these keywords, formats, properties or files, or for everything if none are named, as
    /// with `.allow(warning, names)`.
    #[arg(long, value_name = "WARNING[=NAMES]", value_parser = allowed, help_heading = "Schemas")]
    allow: Vec<(String, Vec<String>)>,
    /// A document that schemas refer to by its URI, as with `.document(uri, file)`.
    #[arg(long, value_name = "URI=FILE", value_parser = document, help_heading = "Schemas")]
    document: Vec<(String, PathBuf)>,
}

/// Parses `--document`.
pub(crate) fn document(text: &str) -> Result<(String, PathBuf), String> {
    // a URI may contain `=`; a file name rarely does
    let (uri, file) =
        text.rsplit_once('=').ok_or("expected URI=FILE, as in https://example.com/money.json=vendor/money.json")?;
    Ok((uri.to_owned(), PathBuf::from(file)))
}

/// Parses `--allow`.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers may fail")]
fn allowed(text: &str) -> Result<(String, Vec<String>), String> {
    let (name, about) = text.split_once('=').unwrap_or((text, ""));
    Ok((name.to_owned(), about.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect()))
}

/// Parses `--dialect`.
pub(crate) fn dialect(text: &str) -> Result<(String, Draft), String> {
    let (uri, draft) = text.rsplit_once('=').ok_or("expected URI=DRAFT, as in https://example.com/meta/v1=7")?;
    Ok((uri.to_owned(), draft.parse().map_err(|error: NoDraft| error.to_string())?))
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no folder `schemas` here or in a folder above: name it with --schemas")]
    NoFolder,
    #[error("{0}")]
    Here(std::io::Error),
    #[error("{shown}: the schemas folder can't be read: {error}")]
    Unreadable { shown: String, error: std::io::Error },
    #[error("{0}")]
    ContractsCrate(#[from] contracts_crate::Error),
    #[error("\n{0}")]
    Problems(#[from] Problems),
}

/// A schemas folder.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// The folder's path for messages.
    pub(crate) shown: String,
    /// The package that `--contracts` names.
    pub(crate) package: Option<Package>,
    how: SchemasArgs,
    /// The settings in the folder's settings file.
    settings: Settings,
}

impl SchemasArgs {
    /// Returns the arguments of a folder or of a contracts crate, without other settings.
    pub(crate) fn of(schemas: Option<PathBuf>, contracts_crate: Option<String>) -> Self {
        Self { schemas, contracts_crate, ..Self::default() }
    }

    /// Finds the folder.
    pub(crate) fn find(&self) -> Result<Folder, Error> {
        let here = || std::env::current_dir().map_err(Error::Here);
        let (package, path) = match (&self.schemas, &self.contracts_crate) {
            (Some(path), _) => (None, path.clone()),
            (None, Some(name)) => {
                let (package, path) = contracts_crate::find(name, &here()?)?;
                (Some(package), path)
            }
            (None, None) => (None, nearest(&here()?).ok_or(Error::NoFolder)?),
        };
        let shown = path.to_string_lossy().replace('\\', "/").trim_end_matches('/').to_owned();
        let settings = Builder::new(&path).shown_as(&shown).settings()?;
        Ok(Folder { path, shown, package, how: self.clone(), settings })
    }
}

/// Returns `schemas`, `../schemas` and so on: the nearest that exists.
fn nearest(here: &Path) -> Option<PathBuf> {
    let mut seen = PathBuf::from("schemas");
    for folder in here.ancestors() {
        if folder.join("schemas").is_dir() {
            return Some(seen);
        }
        seen = Path::new("..").join(seen);
    }
    None
}

impl Folder {
    /// Returns a builder with the settings of the command line, else of the folder's settings file, else of its lock.
    pub(crate) fn builder(&self, lock: Option<&Lock>) -> Builder {
        self.builder_of(&self.path, &self.shown, lock)
    }

    /// Returns a builder with the same settings for another folder, which has earlier files.
    pub(crate) fn builder_of(&self, path: &Path, shown: &str, lock: Option<&Lock>) -> Builder {
        let accepted = lock.and_then(|lock| lock.contracts.values().next());
        let accepted = accepted.and_then(|entry| Bundle::parse(&entry.accepted.form).ok());
        let set = self.how.draft.or_else(|| self.settings.default_draft());
        let draft = set.or_else(|| accepted.as_ref().map(Bundle::default_draft)).unwrap_or_default();
        let asserted = || accepted.is_none_or(|bundle| bundle.asserts_formats());
        let formats = !self.how.no_formats && self.settings.formats().unwrap_or_else(asserted);
        let builder = Builder::new(path).shown_as(shown).default_draft(draft).formats(formats);
        let builder = builder.assert_formats(self.how.assert_formats.iter().cloned());
        let builder = self.how.allow.iter().fold(builder, |builder, (name, about)| builder.allow(name, about.clone()));
        let dialects = self.how.dialect.iter();
        let builder = dialects.fold(builder, |builder, (uri, draft)| builder.dialect(uri, *draft));
        self.documents().into_iter().fold(builder, |builder, (uri, file)| builder.document(uri, file))
    }

    /// Returns the documents that schemas refer to by URI, from the command line and from the folder's settings file. Their
    /// paths are valid for a folder with earlier files, too.
    pub(crate) fn documents(&self) -> Vec<(String, PathBuf)> {
        let mut all = self.how.document.clone();
        let own = self.settings.documents().iter();
        all.extend(own.filter(|(uri, _)| !self.how.document.iter().any(|(other, _)| other == uri)).cloned());
        all
    }

    /// Returns the draft of a custom `$schema`.
    pub(crate) fn dialect(&self, uri: &str) -> Option<Draft> {
        let asked = self.how.dialect.iter().find(|(asked, _)| asked.trim_end_matches('#') == uri.trim_end_matches('#'));
        asked.map(|(_, draft)| *draft).or_else(|| self.settings.dialect(uri))
    }

    /// Returns the folder's lock, if it has one.
    pub(crate) fn lock(&self) -> Result<Option<Lock>, Error> {
        // report a missing folder, which isn't a folder without a lock
        self.path.read_dir().map_err(|error| Error::Unreadable { shown: self.shown.clone(), error })?;
        Ok(Builder::new(&self.path).shown_as(&self.shown).lock()?)
    }

    /// Returns the options of the lock's checks, with an observer that shows their progress.
    pub(crate) fn how(&self, progress: &Progress) -> CheckOptions {
        CheckOptions { observer: progress.observer(), ..CheckOptions::new(&self.shown) }
    }
}

/// Returns the file that a relative reference in `from` leads to; `None` if it is outside the folder.
pub(crate) fn beside(from: &str, reference: &str) -> Option<String> {
    let mut steps: Vec<&str> = from.split('/').collect();
    steps.pop();
    for step in reference.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()?),
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}
