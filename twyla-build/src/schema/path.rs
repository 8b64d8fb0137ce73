//! A place in schemas as users see it: the document and the JSON Pointer in it.

use std::fmt;

use crate::schema::schemas::{Loc, Schemas};

/// A place in a bundle's schemas. Shown as `shared/money.json#/$defs/sum/maximum`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaPath {
    /// The document: its path below the schemas folder, or its URI if it isn't in the folder.
    pub document: String,
    /// The JSON Pointer in the document, empty for the whole document.
    pub pointer: String,
}

impl SchemaPath {
    pub(crate) fn of(schemas: &Schemas, loc: &Loc) -> Self {
        let document = schemas.files.get(loc.file).map(|file| file.path.clone()).unwrap_or_default();
        Self { document, pointer: loc.pointer.clone() }
    }
}

impl fmt::Display for SchemaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.document, self.pointer)
    }
}
