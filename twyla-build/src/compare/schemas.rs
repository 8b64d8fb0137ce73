//! A read-only view of the schemas of a folder or a bundle: each by its place, with its draft and the target of its reference.

use std::collections::HashMap;

use serde_json::Value;

use super::bundle::Bundle;
use crate::schema::draft::Draft;
use crate::schema::path::SchemaPath;
use crate::schema::schemas::{Loc, Schemas};
use crate::stack;

/// The targets of references, and the drafts of schemas.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// The target of each `$ref`, by the place of its schema.
    references: HashMap<SchemaPath, SchemaPath>,
    /// The initial target of each `$dynamicRef` and `$recursiveRef`.
    dynamic: HashMap<SchemaPath, SchemaPath>,
    /// The drafts of whole documents, and of schemas whose draft differs from that of the schema around them.
    drafts: HashMap<SchemaPath, Draft>,
    default_draft: Draft,
}

impl Links {
    pub(super) fn of(schemas: &Schemas) -> Self {
        let path = |loc: &Loc| SchemaPath::of(schemas, loc);
        let paths = |links: &HashMap<Loc, Loc>| links.iter().map(|(from, to)| (path(from), path(to))).collect();
        let roots = (0..schemas.files.len()).map(Loc::root);
        let drafts = roots.chain(schemas.embedded.iter().cloned()).map(|loc| (path(&loc), schemas.draft(&loc)));
        Self {
            references: paths(&schemas.refs),
            dynamic: paths(&schemas.dynamic),
            drafts: drafts.collect(),
            default_draft: schemas.default_draft(),
        }
    }

    pub(super) fn reference(&self, from: &SchemaPath) -> Option<&SchemaPath> {
        self.references.get(from)
    }

    /// Returns the draft of a schema: the draft of the nearest known schema around it.
    fn draft(&self, path: &SchemaPath) -> Draft {
        let mut at = path.clone();
        loop {
            if let Some(draft) = self.drafts.get(&at) {
                return *draft;
            }
            let Some(end) = at.pointer.rfind('/') else { return self.default_draft };
            at.pointer.truncate(end);
        }
    }
}

/// A view of the schemas of a folder ([`Sources::schemas`](super::Sources::schemas)) or of one contract.
///
/// References and drafts are the same as in `build.rs`.
///
/// ```
/// use twyla_build::compare::{Bundle, SchemaPath, SchemaSet};
///
/// let text = r#"{ "$ref": "\u0023/$defs/a<b", "$defs": { "a<b": { "type": "string" } } }"#;
/// let schemas = SchemaSet::of(&Bundle::schema(text, Default::default())?)?;
/// let root = schemas.schema(&SchemaPath { document: "schema.json".to_owned(), pointer: String::new() });
/// let referred = root.and_then(|root| root.reference()).expect("it refers to one");
/// assert_eq!(referred.value()["type"], "string");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SchemaSet {
    documents: HashMap<String, Value>,
    links: Links,
}

impl SchemaSet {
    pub(super) fn new(documents: HashMap<String, Value>, links: Links) -> Self {
        Self { documents, links }
    }

    /// Returns the schemas of one contract.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub fn of(bundle: &Bundle) -> std::io::Result<Self> {
        stack::large(|| {
            let (schemas, _) = bundle.resolved();
            let documents = schemas.files.iter().map(|file| (file.path.clone(), file.root.value()));
            Self { documents: documents.collect(), links: Links::of(&schemas) }
        })
    }

    /// Returns the schema, or other value, at a place.
    #[must_use]
    pub fn schema(&self, path: &SchemaPath) -> Option<Schema<'_>> {
        let value = self.documents.get(&path.document)?.pointer(&path.pointer)?;
        Some(Schema { set: self, path: path.clone(), value, draft: self.links.draft(path) })
    }
}

/// A schema of a [`SchemaSet`].
#[derive(Clone, Debug)]
pub struct Schema<'a> {
    set: &'a SchemaSet,
    path: SchemaPath,
    value: &'a Value,
    draft: Draft,
}

impl<'a> Schema<'a> {
    /// Returns the JSON of the schema.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Returns the place of the schema.
    #[must_use]
    pub fn path(&self) -> &SchemaPath {
        &self.path
    }

    /// Returns the draft of the schema.
    #[must_use]
    pub fn draft(&self) -> Draft {
        self.draft
    }

    /// Returns the value at a path below this one, whose steps are keywords, names and indexes; `None` if there isn't
    /// one.
    #[must_use]
    pub fn at(&self, steps: &[&str]) -> Option<Self> {
        let (mut pointer, mut value, mut draft) = (self.path.pointer.clone(), self.value, self.draft);
        for key in steps {
            pointer = crate::schema::load::step(&pointer, key);
            value = match value {
                Value::Object(members) => members.get(*key)?,
                Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        let path = SchemaPath { document: self.path.document.clone(), pointer };
        if let Some(own) = self.set.links.drafts.get(&path) {
            draft = *own;
        }
        Some(Self { set: self.set, path, value, draft })
    }

    /// Returns the target of the schema's `$ref`.
    #[must_use]
    pub fn reference(&self) -> Option<Self> {
        self.set.schema(self.set.links.references.get(&self.path)?)
    }

    /// Returns the initial target of the schema's `$dynamicRef` or `$recursiveRef`.
    #[must_use]
    pub fn dynamic_reference(&self) -> Option<Self> {
        self.set.schema(self.set.links.dynamic.get(&self.path)?)
    }
}
