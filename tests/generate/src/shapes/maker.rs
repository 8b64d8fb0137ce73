//! Makes the schema of one event.

use serde_json::{Map, Value, json};

use super::deck::{Deck, Shape};
use crate::random::Random;

/// The drafts that events have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Draft {
    Draft4,
    Draft7,
    Draft202012,
}

impl Draft {
    pub(super) fn uri(self) -> &'static str {
        match self {
            Self::Draft4 => "http://json-schema.org/draft-04/schema#",
            Self::Draft7 => "http://json-schema.org/draft-07/schema#",
            Self::Draft202012 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    pub(super) fn definitions(self) -> &'static str {
        if self == Self::Draft202012 { "$defs" } else { "definitions" }
    }
}

/// Makes the schema of one event.
pub(super) struct Maker<'d> {
    pub(super) random: Random,
    pub(super) draft: Draft,
    pub(super) shapes: &'d mut Deck<Shape>,
    pub(super) definitions: Map<String, Value>,
    /// The number of objects around the current one.
    pub(super) depth: usize,
}

impl Maker<'_> {
    /// A constant, which draft 4 writes as an `enum`.
    pub(super) fn constant(&self, value: impl Into<Value>) -> Value {
        let value = value.into();
        if self.draft == Draft::Draft4 { json!({ "enum": [value] }) } else { json!({ "const": value }) }
    }

    /// A reference to a definition of the event.
    pub(super) fn define(&mut self, name: &str, schema: Value) -> Value {
        let container = self.draft.definitions();
        self.definitions.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#/{container}/{name}") })
    }
}
