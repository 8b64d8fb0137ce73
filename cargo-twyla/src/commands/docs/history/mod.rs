//! The changes of each contract over time: [`git`] reads which files changed, and this module compares the contracts.

mod git;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};
use twyla_build::compare::{self, Bundle, Options, Sources};
use twyla_build::lock::{self, EditVerdict};

use crate::support::contracts::name_of;
use crate::support::schemas::{Folder, beside};
use git::{Blob, FileReader, Step};

pub(crate) use git::Commit;

/// A change of a contract.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The commit of the change; `None` if it isn't committed yet.
    pub(super) commit: Option<Commit>,
    pub(super) kind: ChangeKind,
}

/// The kind of a change.
#[derive(Clone, Debug)]
pub(super) enum ChangeKind {
    /// The contract was added.
    Added,
    /// The contract was removed.
    Removed,
    /// The contract's rules changed: the edits, and their verdict.
    Edited { edits: Vec<String>, verdict: Option<EditVerdict> },
    /// Only the contract's descriptions changed.
    Words,
    /// The contract changed from or to something that isn't a schema.
    Unreadable,
}

/// The changes of each contract, newest first.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) of: BTreeMap<String, Vec<Change>>,
    /// Whether the folder is in a repository.
    pub(super) is_known: bool,
}

/// The number of changes that get a verdict; older ones are listed without one.
const VERDICTS: usize = 200;
/// The number of changes whose edits are listed; older ones are listed without them.
const EDITS: usize = 4000;
/// The maximum number of edits that are listed per change.
const LINES: usize = 12;

/// Reads the history of the contracts from git. Earlier files are read with the folder's current dialects, formats and documents.
pub(super) fn history(folder: &Folder, sources: &Sources) -> History {
    let Some(steps) = git::steps(&folder.path) else { return History::default() };
    let mut past = Past {
        reader: FileReader::new(&folder.path),
        how: BundleSettings::of(folder, sources),
        references: HashMap::new(),
        files: BTreeMap::new(),
        verdicts: VERDICTS,
        edits: EDITS,
    };
    let named: BTreeMap<String, String> =
        sources.contracts.iter().map(|it| (it.bundle.root().to_owned(), name_of(it))).collect();
    // start with the files that the contracts refer to now; the changes add the files that were removed
    for document in sources.contracts.iter().flat_map(|it| it.bundle.documents()) {
        past.files.insert(document.to_owned(), Blob::Now(document.to_owned()));
    }
    let mut of: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for Step { commit, files } in steps {
        for (root, kind) in past.step(&files) {
            let Some(name) = named.get(&root).cloned().or_else(|| name(&root)) else { continue };
            of.entry(name).or_default().push(Change { commit: commit.clone(), kind });
        }
    }
    History { of, is_known: true }
}

/// The settings to read bundles of the folder.
struct BundleSettings<'a> {
    folder: &'a Folder,
    draft: &'static str,
    formats: bool,
    /// The formats that are rules in every draft.
    asserted: Vec<String>,
    /// The documents that schemas refer to by URI.
    documents: Vec<(String, Value)>,
}

impl<'a> BundleSettings<'a> {
    fn of(folder: &'a Folder, sources: &Sources) -> Self {
        let first = sources.contracts.first().map(|it| &it.bundle);
        let read = |path| serde_json::from_slice(&std::fs::read(path).ok()?).ok();
        Self {
            folder,
            draft: first.map_or("2020-12", |it| it.default_draft().name()),
            formats: first.is_none_or(Bundle::asserts_formats),
            asserted: first.iter().flat_map(|it| it.asserted_formats()).map(str::to_owned).collect(),
            documents: folder.documents().into_iter().filter_map(|(uri, path)| Some((uri, read(path)?))).collect(),
        }
    }

    /// Returns a document in the form that a bundle holds: a custom `$schema` is replaced by the `$schema` of its draft.
    fn document(&self, json: &Value) -> Value {
        match json {
            Value::Array(items) => items.iter().map(|item| self.document(item)).collect(),
            Value::Object(members) => {
                let written = members.iter().map(|(keyword, value)| {
                    let value = match (keyword.as_str(), value) {
                        ("$schema", value) => {
                            let draft = value.as_str().and_then(|uri| self.folder.dialect(uri));
                            draft.map_or_else(|| value.clone(), |draft| draft.uri().into())
                        }
                        // these keywords contain values, even if a value looks like a schema
                        ("enum" | "const" | "default" | "examples", value) => value.clone(),
                        (_, value) => self.document(value),
                    };
                    (keyword.clone(), value)
                });
                written.collect()
            }
            value => value.clone(),
        }
    }
}

/// Returns the name of the contract whose root file has this path; `None` if the path isn't a contract's.
fn name(root: &str) -> Option<String> {
    let steps: Vec<&str> = root.strip_suffix(".json")?.split('/').collect();
    match steps[..] {
        ["context"] => Some("context".to_owned()),
        ["events", domain, event_type] => Some(format!("{domain}.{event_type}")),
        ["rpc", service, method, way @ ("request" | "response" | "error")] => Some(format!("{service}.{method}/{way}")),
        _ => None,
    }
}

/// The files at one time, by their paths.
type Files = BTreeMap<String, Blob>;

/// The files at another time: `over` has the files that differ from `files`, and `None` for a missing one.
#[derive(Clone, Copy)]
struct At<'a> {
    files: &'a Files,
    over: &'a BTreeMap<String, Option<Blob>>,
}

impl<'a> At<'a> {
    fn get(self, path: &str) -> Option<&'a Blob> {
        self.over.get(path).map_or_else(|| self.files.get(path), Option::as_ref)
    }
}

struct Past<'a> {
    reader: FileReader,
    how: BundleSettings<'a>,
    /// The files that a blob refers to, as written in the blob.
    references: HashMap<Blob, Vec<String>>,
    files: Files,
    verdicts: usize,
    edits: usize,
}

impl Past<'_> {
    /// Goes one change back in time. Returns the contracts that the change touched, by their root files, each with the kind
    /// of the change.
    fn step(&mut self, changed: &[(String, Option<String>)]) -> Vec<(String, ChangeKind)> {
        let files = std::mem::take(&mut self.files);
        let none = BTreeMap::new();
        let over = changed.iter().map(|(path, id)| (path.clone(), id.clone().map(Blob::Object))).collect();
        let found = self.changed(At { files: &files, over: &none }, At { files: &files, over: &over });
        self.files = files;
        for (path, blob) in over {
            match blob {
                Some(blob) => drop(self.files.insert(path, blob)),
                None => drop(self.files.remove(&path)),
            }
        }
        found
    }

    fn changed(&mut self, after: At<'_>, before: At<'_>) -> Vec<(String, ChangeKind)> {
        let paths = before.over;
        let mut roots: BTreeSet<&str> = paths.keys().map(String::as_str).filter(|path| name(path).is_some()).collect();
        if paths.keys().any(|path| name(path).is_none()) {
            roots.extend(after.files.keys().filter(|path| name(path).is_some()).map(String::as_str));
        }
        let mut found = Vec::new();
        for root in roots {
            let kind = match (after.get(root).is_some(), before.get(root).is_some()) {
                (true, false) => ChangeKind::Added,
                (false, true) => ChangeKind::Removed,
                (false, false) => continue,
                (true, true) => {
                    let (now, then) = (self.reach(root, after), self.reach(root, before));
                    if now.iter().chain(&then).all(|path| !paths.contains_key(path)) {
                        continue;
                    }
                    self.edited(root, (&now, after), (&then, before))
                }
            };
            found.push((root.to_owned(), kind));
        }
        found
    }

    fn edited(
        &mut self,
        root: &str,
        (now, after): (&BTreeSet<String>, At<'_>),
        (then, before): (&BTreeSet<String>, At<'_>),
    ) -> ChangeKind {
        if self.edits == 0 {
            return ChangeKind::Edited { edits: Vec::new(), verdict: None };
        }
        self.edits -= 1;
        let (Some(new), Some(old)) = (self.bundle(root, now, after), self.bundle(root, then, before)) else {
            return ChangeKind::Unreadable;
        };
        if new == old {
            return ChangeKind::Words;
        }
        let all = lock::edits(&old, &new);
        let mut edits: Vec<String> = all.iter().take(LINES).map(ToString::to_string).collect();
        if all.len() > LINES {
            edits.push(format!("and {} more", all.len() - LINES));
        }
        let verdict = (self.verdicts > 0).then(|| {
            self.verdicts -= 1;
            let options = Options::default();
            EditVerdict::of(&compare::compare(&old, &new, &options), &compare::compare(&new, &old, &options))
        });
        ChangeKind::Edited { edits, verdict }
    }

    /// Returns the paths of a contract's root file and of the files that it refers to.
    fn reach(&mut self, root: &str, files: At<'_>) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![root.to_owned()];
        while let Some(path) = open.pop() {
            let Some(blob) = files.get(&path) else { continue };
            if !reached.insert(path.clone()) {
                continue;
            }
            if !self.references.contains_key(blob) {
                let mut found = Vec::new();
                if let Some(json) = self.reader.json(blob) {
                    references(json, &mut found);
                }
                found.sort();
                found.dedup();
                self.references.insert(blob.clone(), found);
            }
            let found = self.references.get(blob).map_or(&[][..], Vec::as_slice);
            open.extend(found.iter().filter_map(|reference| beside(&path, reference)));
        }
        reached
    }

    fn bundle(&mut self, root: &str, reached: &BTreeSet<String>, files: At<'_>) -> Option<Bundle> {
        let given = self.how.documents.iter().map(|(uri, json)| (uri.clone(), self.how.document(json)));
        let mut documents: serde_json::Map<String, Value> = given.collect();
        for path in reached {
            documents.insert(path.clone(), self.how.document(self.reader.json(files.get(path)?)?));
        }
        let BundleSettings { draft, formats, asserted, .. } = &self.how;
        let text = json!({
            "draft": draft, "formats": formats, "asserted": asserted, "root": root, "documents": documents,
        });
        let text = text.to_string();
        Bundle::parse(&text).ok()
    }
}

/// Adds the documents that a schema refers to by relative paths to `found`.
fn references(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Array(items) => items.iter().for_each(|it| references(it, found)),
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                let document = reference.split('#').next().unwrap_or_default();
                if !document.is_empty() && !document.contains("://") {
                    found.push(document.to_owned());
                }
            }
            members.values().for_each(|it| references(it, found));
        }
        _ => {}
    }
}
