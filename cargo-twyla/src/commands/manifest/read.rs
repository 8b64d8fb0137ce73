//! Parses manifests from untrusted files: truncated, huge, or changed by hand.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use twyla_build::compare::Bundle;
use twyla_codec::json::other_encoding;
use twyla_contract::text::is_invisible;
use twyla_contract::text::shortened;
use twyla_contract::{EventName, Group};

use super::model::{FORMAT, Manifest};

/// The maximum size of a manifest, in bytes: enough for 1,000 events with schemas of 30 kB.
const MOST: u64 = 64 << 20;

/// A valid manifest: its names are valid, and each schema matches its digest.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) manifest: Manifest,
    /// The schemas by their digests.
    pub(crate) schemas: BTreeMap<String, Bundle>,
}

/// A manifest that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub(crate) struct Error {
    pub(crate) path: PathBuf,
    what: ManifestProblem,
}

#[derive(Debug, thiserror::Error)]
enum ManifestProblem {
    #[error("can't be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("is larger than the {} MiB that a manifest may have", MOST >> 20)]
    Huge,
    #[error("is incomplete: it ends in line {line}, column {column}")]
    Cut { line: usize, column: usize },
    #[error("{0}: write it in UTF-8 without a byte order mark")]
    Encoding(&'static str),
    #[error("is not a manifest: {0}")]
    NoManifest(serde_json::Error),
    #[error("is not a manifest: expected a JSON object, found an array")]
    List,
    #[error("is of the format {0:?}, and this version of cargo-twyla reads {FORMAT:?}")]
    Format(String),
    #[error("names {what} that is not valid: {why}")]
    Name { what: &'static str, why: String },
    #[error("has a schema under the digest {named}, but its digest is {real}: the schema or the digest was changed")]
    Digest { named: String, real: String },
    #[error("has the schema {digest}, which is not valid: {why}")]
    Schema { digest: String, why: String },
    #[error("lacks the schema {digest}, {what}")]
    Missing { digest: String, what: String },
    #[error("has the previous version {0} twice")]
    Twice(String),
}

/// Parses and validates a manifest.
pub(crate) fn read(path: &Path) -> Result<Checked, Error> {
    let text = text(path).map_err(|what| Error { path: path.to_owned(), what })?;
    checked(&text).map_err(|what| Error { path: path.to_owned(), what })
}

fn text(path: &Path) -> Result<Vec<u8>, ManifestProblem> {
    let mut text = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST { Err(ManifestProblem::Huge) } else { Ok(text) }
}

fn checked(text: &[u8]) -> Result<Checked, ManifestProblem> {
    // check the format first: another format may have other members
    #[derive(serde::Deserialize)]
    struct Only {
        format: String,
    }
    // some shells write a byte order mark, and some another encoding
    if let Some(encoding) = other_encoding(text) {
        return Err(ManifestProblem::Encoding(encoding));
    }
    // serde would accept an array of the fields, too
    if text.trim_ascii_start().first() == Some(&b'[') {
        return Err(ManifestProblem::List);
    }
    let parsed = serde_json::from_slice(text);
    if parsed.is_err()
        && let Ok(Only { format }) = serde_json::from_slice(text)
        && format != FORMAT
    {
        return Err(ManifestProblem::Format(format));
    }
    let manifest: Manifest = parsed.map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => ManifestProblem::Cut { line: error.line(), column: error.column() },
        _ => ManifestProblem::NoManifest(error),
    })?;
    if manifest.format != FORMAT {
        return Err(ManifestProblem::Format(manifest.format));
    }
    names(&manifest)?;
    let mut schemas = BTreeMap::new();
    for (digest, schema) in &manifest.schemas {
        let bundle = Bundle::parse(schema.get()).map_err(|problems| {
            let why = problems.0.first().map(ToString::to_string).unwrap_or_default();
            ManifestProblem::Schema { digest: digest.clone(), why }
        })?;
        let real = bundle.digest();
        if real != *digest {
            return Err(ManifestProblem::Digest { named: digest.clone(), real });
        }
        schemas.insert(digest.clone(), bundle);
    }
    if let Some((digest, what)) = manifest.named().find(|(digest, _)| !schemas.contains_key(*digest)) {
        return Err(ManifestProblem::Missing { digest: digest.to_owned(), what });
    }
    Ok(Checked { manifest, schemas })
}

fn names(manifest: &Manifest) -> Result<(), ManifestProblem> {
    let word = |what, name: &str| match no_word(name) {
        Some(why) => Err(ManifestProblem::Name { what, why }),
        None => Ok(()),
    };
    let event = |name: &str| match EventName::parse(name) {
        Ok(_) => Ok(()),
        Err(error) => Err(ManifestProblem::Name { what: "an event", why: error.to_string() }),
    };
    let group = |name: &str| match Group::parse(name) {
        Ok(_) => Ok(()),
        Err(error) => Err(ManifestProblem::Name { what: "a group", why: error.to_string() }),
    };
    word("a service", &manifest.service)?;
    word("a version", &manifest.version)?;
    manifest.environment.iter().try_for_each(|name| word("an environment", name))?;
    let previous = &manifest.previous;
    for (i, it) in previous.iter().enumerate() {
        word("a version", &it.name)?;
        if it.name == manifest.version || previous[..i].iter().any(|other| other.name == it.name) {
            return Err(ManifestProblem::Twice(it.name.clone()));
        }
    }
    let mut emits = previous.iter().flat_map(|it| &it.emits).chain(&manifest.emits);
    emits.try_for_each(|it| event(&it.event))?;
    for it in previous.iter().flat_map(|it| &it.listens).chain(&manifest.listens) {
        event(&it.event)?;
        group(&it.group)?;
    }
    let methods = previous.iter().flat_map(|it| it.serves.iter().chain(&it.calls));
    methods.chain(&manifest.serves).chain(&manifest.calls).try_for_each(|it| word("a method", &it.method))
}

/// Returns why a text isn't the name of a service, a version or an environment.
pub(crate) fn no_word(name: &str) -> Option<String> {
    let bad = name.is_empty() || name.len() > 200 || name.chars().any(|c| is_invisible(c) || c.is_whitespace());
    bad.then(|| format!("{:?} is empty, longer than 200 bytes, or has a space in it", shortened(name, 40)))
}
