//! The schemas folder that a command is about: where it is, and how it is read.

use std::path::{Path, PathBuf};

use twyla_build::compare::Bundle;
use twyla_build::lock::{How, Lock};
use twyla_build::{Builder, Draft, Problems};

/// Where the schemas are, and how they are read: as build.rs says it.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Where {
    /// The schemas folder; else `schemas` here or in the nearest folder above.
    #[arg(long, value_name = "DIR", help_heading = "Schemas")]
    pub(crate) schemas: Option<PathBuf>,
    /// The draft of schemas that name none: 4, 6, 7, 2019-09 or 2020-12; else as the lock has it.
    #[arg(long, value_name = "DRAFT", help_heading = "Schemas")]
    draft: Option<Draft>,
    /// `format` only tells something, as with `.formats(false)`; else as the lock has it.
    #[arg(long, help_heading = "Schemas")]
    no_formats: bool,
    /// A document that schemas refer to by its URI, as with `.document(uri, file)`.
    #[arg(long, value_name = "URI=FILE", value_parser = document, help_heading = "Schemas")]
    document: Vec<(String, PathBuf)>,
}

/// What `--document` says.
pub(crate) fn document(text: &str) -> Result<(String, PathBuf), String> {
    // a URI may have a `=`, and a file's name hardly
    let (uri, file) =
        text.rsplit_once('=').ok_or("it is written as https://example.com/money.json=vendor/money.json")?;
    Ok((uri.to_owned(), PathBuf::from(file)))
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no folder `schemas` here, nor in a folder above: say where it is with --schemas")]
    NoFolder,
    #[error("{0}")]
    Here(std::io::Error),
    #[error("\n{0}")]
    Problems(#[from] Problems),
}

/// A schemas folder.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// As messages show it.
    pub(crate) shown: String,
    how: Where,
}

impl Where {
    /// The documents that are given with their URIs.
    pub(crate) fn documents(&self) -> &[(String, PathBuf)] {
        &self.document
    }

    /// Finds the folder.
    pub(crate) fn find(&self) -> Result<Folder, Error> {
        let path = match &self.schemas {
            Some(path) => path.clone(),
            None => nearest(&std::env::current_dir().map_err(Error::Here)?).ok_or(Error::NoFolder)?,
        };
        let shown = path.to_string_lossy().replace('\\', "/").trim_end_matches('/').to_owned();
        Ok(Folder { path, shown, how: self.clone() })
    }
}

/// `schemas`, or `../schemas`, and so on: as it is seen from here.
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
    /// How its schemas are read: as the command line says, else as its lock has it.
    pub(crate) fn builder(&self, lock: Option<&Lock>) -> Builder {
        self.builder_of(&self.path, &self.shown, lock)
    }

    /// The same of a folder with earlier files.
    pub(crate) fn builder_of(&self, path: &Path, shown: &str, lock: Option<&Lock>) -> Builder {
        let accepted = lock.and_then(|lock| lock.contracts.values().next());
        let accepted = accepted.and_then(|entry| Bundle::parse(&entry.accepted.form).ok());
        let draft = self.how.draft.or_else(|| accepted.as_ref().map(Bundle::default_draft)).unwrap_or_default();
        let formats = !self.how.no_formats && accepted.is_none_or(|bundle| bundle.asserts_formats());
        let builder = Builder::new(path).shown_as(shown).default_draft(draft).formats(formats);
        self.how.document.iter().fold(builder, |builder, (uri, file)| builder.document(uri, file))
    }

    /// Its lock, where it has one.
    pub(crate) fn lock(&self) -> Result<Option<Lock>, Error> {
        Ok(Builder::new(&self.path).shown_as(&self.shown).lock()?)
    }

    /// What is demanded of its contracts.
    pub(crate) fn how(&self) -> How {
        How::new(&self.shown)
    }
}

/// The file that a relative reference in another one leads to; none where that is outside of the folder.
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
