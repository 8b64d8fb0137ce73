//! Parses, resolves and checks bundles.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

use super::bundle::{Bundle, Formats};
use super::document::{self, Document, WrittenDocuments};
use super::gather;
use crate::schema::draft::{Dialects, Draft};
use crate::schema::load::{self, File, FileRole, Json, Node};
use crate::schema::problem::{Problem, ProblemKind, Problems};
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::{check, register};
use crate::stack;

impl Bundle {
    /// Parses the text that [`Display`](std::fmt::Display) writes. A `multipleOf` whose multiples can't be computed exactly, which
    /// earlier releases rounded, is undecided in comparisons.
    ///
    /// # Errors
    /// [`Problems`] if it isn't a bundle, or its schemas aren't valid.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        on_stack(|problems| {
            let Parts { draft, formats, root, documents } = Parts::read(text, problems)?;
            let bundle = Self::made(draft, formats, &root, documents, problems);
            problems.retain(|problem| !problem.is_of_records());
            Some(bundle)
        })
    }

    /// Returns the bundle of a form as written, without a check; `None` if it isn't a form.
    pub(crate) fn as_written(form: &Node, known: &WrittenDocuments) -> Option<Self> {
        Some(Parts::of(form, &mut Vec::new())?.exact(known))
    }

    /// Returns the bundle of documents that are JSON values, as written and without a check; `None` if they aren't a
    /// form. A document that one of `others` has is shared with it.
    pub(crate) fn of_values(
        draft: Draft,
        formats: bool,
        root: &str,
        documents: &BTreeMap<String, Arc<Value>>,
        others: [&Self; 2],
    ) -> Option<Self> {
        let known = |name: &str, value: &Arc<Value>| {
            let mut all = others.into_iter().filter_map(|bundle| bundle.inner.documents.get(name));
            all.find(|document| Arc::ptr_eq(&document.value(), value)).cloned()
        };
        let made = |value: &Value| Arc::new(Document::new(document::exact(&Node::from(value))));
        let document =
            |(name, value): (&String, &Arc<Value>)| (name.clone(), known(name, value).unwrap_or_else(|| made(value)));
        let documents: BTreeMap<String, Arc<Document>> = documents.iter().map(document).collect();
        // JSON that is nested too deep can't be read back
        let is_form = documents.contains_key(root) && !documents.values().any(|document| document.is_deep());
        let formats = Formats { asserted: formats, in_every_draft: BTreeSet::new() };
        is_form.then(|| Self::new(draft, formats, root.to_owned(), documents))
    }

    /// Returns the digest of a form as written, including keywords that [`parse`](Self::parse) omits; `None` if the
    /// text isn't a form.
    pub(crate) fn digest_as_written(text: &str) -> Option<String> {
        let written = on_stack(|problems| Some(Parts::read(text, problems)?.exact(&WrittenDocuments::default())));
        written.ok().map(|bundle| bundle.digest())
    }

    /// Makes a bundle of a single schema. `format` is an annotation in it; [`formats`](Self::formats) changes that.
    ///
    /// # Errors
    /// [`Problems`] if the text isn't JSON or isn't a schema, or refers to another document.
    pub fn schema(text: &str, default_draft: Draft) -> Result<Self, Problems> {
        const NAME: &str = "schema.json";
        on_stack(|problems| {
            let node = load::parse(NAME, text.as_bytes().to_vec(), problems)?;
            let formats = Formats { asserted: false, in_every_draft: BTreeSet::new() };
            Some(Self::made(default_draft, formats, NAME, vec![(NAME.to_owned(), node)], problems))
        })
    }

    /// Makes a bundle of a single schema that is parsed already.
    ///
    /// # Errors
    /// Those of [`schema`](Self::schema).
    pub fn value(schema: &Value, default_draft: Draft) -> Result<Self, Problems> {
        Self::schema(&schema.to_string(), default_draft)
    }

    fn made(
        draft: Draft,
        formats: Formats,
        root: &str,
        documents: Vec<(String, Node)>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let schemas = resolved(draft, formats, documents, &BTreeSet::from([root]), problems);
        check::all(&schemas, problems);
        let (file, _) = schemas.files.iter().enumerate().find(|(_, file)| file.path == root).unzip();
        gather::bundle(&schemas, &Loc::root(file.unwrap_or(0)))
    }

    /// Returns the schemas of the bundle with every reference resolved, and the place of its root schema.
    pub(super) fn resolved(&self) -> (Schemas, Loc) {
        // problems were reported when the bundle was made
        let (schemas, roots) = self.resolved_with(&[self], &mut Vec::new());
        (schemas, roots.into_iter().next().unwrap_or(Loc::root(0)))
    }

    /// Resolves several bundles together. They share draft, formats and all documents except their own root. Returns the schemas,
    /// and the place of each root.
    pub(super) fn resolved_with(&self, bundles: &[&Self], problems: &mut Vec<Problem>) -> (Schemas, Vec<Loc>) {
        let documents: BTreeMap<&String, &Arc<Document>> =
            bundles.iter().flat_map(|bundle| &bundle.inner.documents).collect();
        let documents = documents.into_iter().map(|(name, document)| (name.clone(), document.node.clone())).collect();
        let roots: BTreeSet<&str> = bundles.iter().map(|bundle| bundle.root()).collect();
        let formats = self.inner.formats.clone();
        let schemas = resolved(self.inner.draft, formats, documents, &roots, problems);
        let files: HashMap<&str, usize> =
            schemas.files.iter().enumerate().map(|(index, file)| (file.path.as_str(), index)).collect();
        let root = |bundle: &&Self| Loc::root(files.get(bundle.root()).copied().unwrap_or(0));
        let roots = bundles.iter().map(root).collect();
        (schemas, roots)
    }
}

impl FromStr for Bundle {
    type Err = Problems;

    fn from_str(text: &str) -> Result<Self, Problems> {
        Self::parse(text)
    }
}

/// The name of a form in messages.
const FORM: &str = "bundle";

/// The parts of a form.
struct Parts {
    draft: Draft,
    formats: Formats,
    root: String,
    documents: Vec<(String, Node)>,
}

impl Parts {
    /// Reads the parts, or adds problems.
    fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        Self::of(&load::parse(FORM, text.as_bytes().to_vec(), problems)?, problems)
    }

    /// Returns the bundle in canonical form, without a check.
    fn exact(self, known: &WrittenDocuments) -> Bundle {
        let Self { draft, formats, root, documents } = self;
        let documents = documents.into_iter().map(|(name, node)| (name.clone(), known.exact(&name, &node))).collect();
        Bundle::new(draft, formats, root, documents)
    }

    fn of(node: &Node, problems: &mut Vec<Problem>) -> Option<Self> {
        let bad = |kind: &str| Problem {
            file: FORM.to_owned(),
            at: None,
            kind: ProblemKind::BadBundle { error: kind.to_owned() },
        };
        let draft = node.get("draft").and_then(Node::str).and_then(Draft::named);
        let formats = node.get("formats").and_then(|node| if let Json::Bool(on) = node.json { Some(on) } else { None });
        let in_every_draft = node.get("asserted").map_or(&[][..], Node::items).iter();
        let in_every_draft = in_every_draft.filter_map(Node::str).map(str::to_owned).collect();
        let formats = formats.map(|asserted| Formats { asserted, in_every_draft });
        let (Some(draft), Some(formats)) = (draft, formats) else {
            problems.push(bad("`draft` or `formats` is missing"));
            return None;
        };
        let Some(root) = node.get("root").and_then(Node::str) else {
            problems.push(bad("`root`, the name of a document, is missing"));
            return None;
        };
        let mut documents = Vec::new();
        for member in node.get("documents").map_or(&[][..], Node::members) {
            let value = match &member.value.json {
                Json::String(text) => load::parse(&member.key, text.as_bytes().to_vec(), problems)?,
                _ => member.value.clone(),
            };
            documents.push((member.key.clone(), value));
        }
        if !documents.iter().any(|(name, _)| name == root) {
            problems.push(bad("`documents` doesn't contain the document that `root` names"));
            return None;
        }
        Some(Self { draft, formats, root: root.to_owned(), documents })
    }
}

/// Resolves every reference of the documents. A root counts as used even if nothing refers to it.
fn resolved(
    draft: Draft,
    formats: Formats,
    documents: Vec<(String, Node)>,
    roots: &BTreeSet<&str>,
    problems: &mut Vec<Problem>,
) -> Schemas {
    let role = |name: &str| match load::role(name) {
        // a single contract: the other contracts of its RPC are missing
        Ok(Some(FileRole::Rpc(..))) => FileRole::BesideRpc,
        Ok(Some(role)) => role,
        _ if roots.contains(name) => FileRole::Shared,
        _ => FileRole::Document,
    };
    let file = |(name, node): (String, Node)| File {
        role: role(&name),
        shown: name.clone(),
        path: name,
        root: node,
        unread: false,
    };
    let files = documents.into_iter().map(file).collect();
    register::schemas(files, draft, Dialects::default(), problems)
        .with_formats(formats.asserted)
        .with_asserted(formats.in_every_draft)
}

/// Runs the work on a large stack. Returns the bundle, or all problems if one of them is an error.
fn on_stack(work: impl FnOnce(&mut Vec<Problem>) -> Option<Bundle> + Send) -> Result<Bundle, Problems> {
    let mut problems = Vec::new();
    let done = stack::large(|| work(&mut problems));
    let bundle = done.unwrap_or_else(|error| {
        let kind = ProblemKind::Uncompilable { error: format!("a thread can't be started: {error}") };
        problems.push(Problem { file: "schema".to_owned(), at: None, kind });
        None
    });
    bundle.filter(|_| !problems.iter().any(Problem::is_error)).ok_or(Problems(problems))
}
