//! Writes a lock file: the same text for the same lock.

use std::fmt;

use super::model::{Earlier, Entry, Lock, Retired, Version, Waiver};
use super::print::Doc;
use crate::schema::load::{self, MAX_NESTING};

/// The comment at the top of the file.
const NOTE: &str =
    "The accepted contracts of this folder, made by `cargo twyla accept`; `cargo twyla diff` shows what is new";

/// The maximum number of levels that a lock has around a document of a form.
const ABOVE: usize = 8;

impl fmt::Display for Lock {
    /// Writes the text of the lock file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contracts = self.contracts.iter().map(|(subject, entry)| (subject.to_string(), contract(entry)));
        let lock = object([
            ("lock", Doc::Plain(Self::FORM.to_string())),
            ("note", Doc::text(NOTE)),
            ("contracts", Doc::Object(contracts.collect())),
        ]);
        f.write_str(&lock.print())
    }
}

fn object<const N: usize>(members: [(&str, Doc); N]) -> Doc {
    Doc::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn contract(entry: &Entry) -> Doc {
    let Entry { accepted, removed, earlier, waivers, retired } = entry;
    let mut members = Vec::new();
    members.extend(removed.iter().map(|reason| ("removed".to_owned(), Doc::text(reason))));
    members.push(("accepted".to_owned(), Doc::Object(version(accepted))));
    let mut list = |name: &str, items: Vec<Doc>| {
        if !items.is_empty() {
            members.push((name.to_owned(), Doc::List(items)));
        }
    };
    list("in_the_field", earlier.iter().map(in_the_field).collect());
    list("waivers", waivers.iter().map(waiver).collect());
    let gone =
        |Retired { digest, reason }: &Retired| object([("digest", Doc::text(digest)), ("reason", Doc::text(reason))]);
    list("retired", retired.iter().map(gone).collect());
    Doc::Object(members)
}

fn version(version: &Version) -> Vec<(String, Doc)> {
    vec![("digest".to_owned(), Doc::text(&version.digest)), ("form".to_owned(), form(&version.form))]
}

/// Returns the form of a version. A deeply nested document becomes a string, so that the lock isn't nested too deep.
fn form(text: &str) -> Doc {
    let node = load::parse("form", text.as_bytes().to_vec(), &mut Vec::new());
    let mut form = node.map_or_else(|| Doc::text(text), |node| Doc::sorted(&node));
    if let Doc::Object(members) = &mut form
        && let Some((_, Doc::Object(documents))) = members.iter_mut().find(|(name, _)| name == "documents")
    {
        for (_, document) in documents {
            if document.depth() > MAX_NESTING - ABOVE {
                *document = Doc::text(&document.compact());
            }
        }
    }
    form
}

fn in_the_field(earlier: &Earlier) -> Doc {
    let mut members = vec![
        ("because".to_owned(), Doc::text(&earlier.because)),
        ("sides".to_owned(), Doc::text(&earlier.sides.to_string())),
    ];
    members.extend(version(&earlier.version));
    Doc::Object(members)
}

fn waiver(waiver: &Waiver) -> Doc {
    object([
        ("old", Doc::text(&waiver.old)),
        ("new", Doc::text(&waiver.new)),
        ("direction", Doc::text(&waiver.direction.to_string())),
        ("reason", Doc::text(&waiver.reason)),
        ("until", Doc::text(&waiver.until.to_string())),
    ])
}
