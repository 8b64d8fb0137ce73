//! A contract's form as JSON documents, which can be compared and edited.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::Draft;
use crate::compare::{self, Bundle, Resolved};

/// The parts of a [`Bundle`], as JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    pub(crate) draft: String,
    pub(crate) formats: bool,
    /// The name of the contract's own document.
    pub(crate) root: String,
    /// The documents by name. Forms share a document until one of them changes it.
    pub(crate) documents: BTreeMap<String, Arc<Value>>,
}

impl Form {
    pub(crate) fn of(bundle: &Bundle) -> Self {
        Self {
            draft: bundle.default_draft().name().to_owned(),
            formats: bundle.asserts_formats(),
            root: bundle.root().to_owned(),
            documents: bundle.values().collect(),
        }
    }

    /// Parses the text of a [`Bundle`].
    pub(crate) fn read(text: &str) -> Self {
        let whole: Value = serde_json::from_str(text).unwrap_or_default();
        let word = |name: &str| whole.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let documents = whole.get("documents").and_then(Value::as_object).into_iter().flatten();
        // a deeply nested document is written as a string
        let document = |(name, value): (&String, &Value)| {
            let value =
                value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone());
            (name.clone(), Arc::new(value))
        };
        Self {
            draft: word("draft"),
            formats: whole.get("formats") == Some(&Value::Bool(true)),
            root: word("root"),
            documents: documents.map(document).collect(),
        }
    }

    /// Returns the form as a contract to compare; `None` if it isn't valid. Unchanged documents are shared with
    /// `others`.
    pub(super) fn resolved(&self, others: [&Bundle; 2]) -> Option<Resolved> {
        let Self { draft, formats, root, documents } = self;
        let written = Draft::named(draft).and_then(|draft| Bundle::of_values(draft, *formats, root, documents, others));
        // a canonical form is resolved once, for its check and for all comparisons
        let read = written.and_then(|written| compare::read_together(&[written]).ok()?.pop()?);
        read.map(|read| read.resolved()).or_else(|| Some(Resolved::contract(&self.bundle()?)))
    }

    /// Converts the form to a bundle; `None` if it isn't valid.
    pub(super) fn bundle(&self) -> Option<Bundle> {
        let Self { draft, formats, root, documents } = self;
        let documents: Map<String, Value> =
            documents.iter().map(|(name, value)| (name.clone(), Value::clone(value))).collect();
        let whole = json!({ "draft": draft, "formats": formats, "root": root, "documents": documents });
        Bundle::parse(&whole.to_string()).ok()
    }

    /// Returns the contract's own schema.
    pub(crate) fn own(&self) -> &Value {
        self.documents.get(&self.root).map_or(&Value::Null, |value| value)
    }

    /// Returns a document for changes; `None` if the form doesn't have it.
    pub(super) fn document_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.documents.get_mut(name).map(Arc::make_mut)
    }
}
