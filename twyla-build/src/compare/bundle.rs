//! A bundle: one contract by itself, with every document that its references reach.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::document::Document;
use crate::schema::draft::Draft;
use crate::schema::load::{self, Json, Node, quote, quoted};
use crate::schema::path::SchemaPath;
use crate::schema::rpcs;

/// One contract by itself: its schema, every document that its references reach, and how they are read.
///
/// It has a canonical form, which doesn't depend on the order of members or on how numbers are written. It omits annotations
/// (`title`, `description`, `examples`, `$comment`, `deprecated`, `readOnly`, `writeOnly`, `x-…`, and keywords that the
/// schema's draft lacks, such as `example`) and what the contract doesn't reach. Two bundles are equal if their forms are.
///
/// [`Display`](fmt::Display) writes it as JSON, with `{:#}` in several lines, and [`parse`](Self::parse) reads it.
#[derive(Clone)]
pub struct Bundle {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) draft: Draft,
    pub(super) formats: Formats,
    root: String,
    pub(super) documents: BTreeMap<String, Arc<Document>>,
    /// The canonical form in one line.
    text: String,
    /// The SHA-256 of the form, once it is computed.
    digest: OnceLock<String>,
}

/// The formats that are rules, not annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Formats {
    /// Whether the formats that a schema's draft defines are rules.
    pub(super) asserted: bool,
    /// The formats that are rules in every draft, even in one that doesn't define them.
    pub(super) in_every_draft: BTreeSet<String>,
}

impl Bundle {
    pub(super) fn new(
        draft: Draft,
        formats: Formats,
        root: String,
        documents: BTreeMap<String, Arc<Document>>,
    ) -> Self {
        let mut inner = Inner { draft, formats, root, documents, text: String::new(), digest: OnceLock::new() };
        inner.text = inner.written(None);
        Self { inner: Arc::new(inner) }
    }

    /// Returns the same bundle with `format` as a rule or as an annotation.
    #[must_use]
    pub fn formats(self, formats: bool) -> Self {
        if self.inner.formats.asserted == formats {
            return self;
        }
        let formats = Formats { asserted: formats, ..self.inner.formats.clone() };
        Self::new(self.inner.draft, formats, self.inner.root.clone(), self.inner.documents.clone())
    }

    /// Returns the draft of schemas without `$schema`.
    #[must_use]
    pub fn default_draft(&self) -> Draft {
        self.inner.draft
    }

    /// Returns whether `format` is a rule.
    #[must_use]
    pub fn asserts_formats(&self) -> bool {
        self.inner.formats.asserted
    }

    /// Returns the formats that are rules although the contract's drafts don't define them, as with
    /// [`Builder::assert_formats`](crate::Builder::assert_formats).
    pub fn asserted_formats(&self) -> impl Iterator<Item = &str> {
        self.inner.formats.in_every_draft.iter().map(String::as_str)
    }

    /// Returns the name of the contract's own document.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.inner.root
    }

    /// Returns the names of all documents of the bundle.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.inner.documents.keys().map(String::as_str)
    }

    /// Returns the canonical form in one line.
    pub(crate) fn line(&self) -> &str {
        &self.inner.text
    }

    /// Returns the documents as JSON, each with its name.
    pub(crate) fn values(&self) -> impl Iterator<Item = (String, Arc<Value>)> {
        self.inner.documents.iter().map(|(name, document)| (name.clone(), document.value()))
    }

    /// Returns the SHA-256 of the form, in hexadecimal. Every edit changes it, except edits of annotations.
    #[must_use]
    pub fn digest(&self) -> String {
        let hash = || hmac_sha256::Hash::hash(self.inner.text.as_bytes());
        let text = || hash().iter().map(|byte| format!("{byte:02x}")).collect();
        self.inner.digest.get_or_init(text).clone()
    }

    /// Returns whether the contract is the request of an RPC.
    pub(super) fn is_request(&self) -> bool {
        rpcs::is_request(self.root())
    }

    /// Returns whether the contract is the request of an RPC that `"idempotent": true` marks as idempotent.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.is_request()
            && self.inner.documents.get(self.root()).is_some_and(|document| rpcs::is_idempotent(&document.node))
    }

    pub(super) fn root_path(&self) -> SchemaPath {
        SchemaPath { document: self.inner.root.clone(), pointer: String::new() }
    }
}

impl PartialEq for Bundle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.inner.text == other.inner.text
    }
}

impl Eq for Bundle {}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bundle").field(&self.inner.text).finish()
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { f.write_str(&self.inner.written(Some(0))) } else { f.write_str(&self.inner.text) }
    }
}

impl Inner {
    fn written(&self, lines: Option<usize>) -> String {
        let (begin, space) = if lines.is_some() { ("\n  ", " ") } else { ("", "") };
        let (draft, root) = (quoted(self.draft.name()), quoted(&self.root));
        let mut out = format!("{{{begin}\"draft\":{space}{draft},{begin}\"formats\":{space}{},", self.formats.asserted);
        if !self.formats.in_every_draft.is_empty() {
            let names: Vec<String> = self.formats.in_every_draft.iter().map(|name| quoted(name)).collect();
            out.push_str(&format!("{begin}\"asserted\":{space}[{}],", names.join(",")));
        }
        out.push_str(&format!("{begin}\"root\":{space}{root},{begin}\"documents\":{space}{{"));
        for (index, (name, document)) in self.documents.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let before = if lines.is_some() { "\n    " } else { "" };
            out.push_str(&format!("{comma}{before}{}:{space}", quoted(name)));
            match lines.filter(|_| !document.is_deep()) {
                Some(_) => write(&document.node, 2, &mut out),
                None => out.push_str(document.text()),
            }
        }
        out.push_str(if lines.is_some() { "\n  }\n}" } else { "}}" });
        out
    }
}

/// The maximum length of a value that is written in one line.
const LINE: usize = 100;

/// Appends a value to `out`, in several lines if it doesn't fit into one line.
fn write(node: &Node, depth: usize, out: &mut String) {
    if LINE.checked_sub(2 * depth).is_some_and(|room| rest(node, room).is_some()) {
        out.push_str(&spaced(node));
        return;
    }
    let separated = |out: &mut String, first: bool| {
        out.push_str(if first { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
    };
    let end = |out: &mut String, bracket: char, empty: bool| {
        if !empty {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
        out.push(bracket);
    };
    match &node.json {
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separated(out, index == 0);
                write(item, depth + 1, out);
            }
            end(out, ']', items.is_empty());
        }
        Json::Object(members) => {
            out.push('{');
            for (index, member) in members.iter().enumerate() {
                separated(out, index == 0);
                quote(&member.key, out);
                out.push_str(": ");
                write(&member.value, depth + 1, out);
            }
            end(out, '}', members.is_empty());
        }
        _ => out.push_str(&node.text()),
    }
}

/// Returns how many bytes of `room` remain after a value in one line; `None` if the value doesn't fit.
fn rest(node: &Node, room: usize) -> Option<usize> {
    match &node.json {
        Json::Array(items) => {
            items.iter().try_fold(room.checked_sub(2)?, |room, item| rest(item, room.checked_sub(2)?))
        }
        Json::Object(members) => members.iter().try_fold(room.checked_sub(4)?, |room, member| {
            rest(&member.value, room.checked_sub(member.key.len() + 6)?)
        }),
        Json::String(text) => room.checked_sub(text.len() + 2),
        Json::Number(text) => room.checked_sub(text.len()),
        Json::Null | Json::Bool(_) => room.checked_sub(5),
    }
}

/// Returns a value in one line, with spaces for readability.
fn spaced(node: &Node) -> String {
    match &node.json {
        Json::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Json::Object(members) if members.is_empty() => "{}".to_owned(),
        Json::Object(members) => {
            let member = |member: &load::Member| format!("{}: {}", quoted(&member.key), spaced(&member.value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        _ => node.text(),
    }
}
