//! A contract's form as JSON documents, which can be compared and edited.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::compare::Bundle;

/// The parts of a [`Bundle`], as JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    pub(crate) draft: String,
    pub(crate) formats: bool,
    /// The name of the contract's own document.
    pub(crate) root: String,
    pub(crate) documents: BTreeMap<String, Value>,
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
            (name.clone(), value)
        };
        Self {
            draft: word("draft"),
            formats: whole.get("formats") == Some(&Value::Bool(true)),
            root: word("root"),
            documents: documents.map(document).collect(),
        }
    }

    /// Converts it back to a bundle; `None` if it isn't a valid one.
    pub(crate) fn bundle(&self) -> Option<Bundle> {
        let Self { draft, formats, root, documents } = self;
        let whole = json!({ "draft": draft, "formats": formats, "root": root, "documents": documents });
        Bundle::parse(&whole.to_string()).ok()
    }

    /// Returns the contract's own schema.
    pub(crate) fn own(&self) -> &Value {
        self.documents.get(&self.root).unwrap_or(&Value::Null)
    }
}
