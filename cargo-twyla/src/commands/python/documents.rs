//! The documents of a contract's bundle: the targets of references, and the schemas that apply to one value.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::support::schemas::beside;
use crate::support::uri;

/// The documents of a bundle.
pub(super) struct Documents<'a> {
    documents: &'a Map<String, Value>,
    draft: &'a str,
    /// The documents with an `$id` or `id`, which may change the targets of references.
    identified: BTreeSet<&'a str>,
}

/// A place in a document: its name, and a JSON Pointer.
pub(super) type Place = (String, String);

/// A schema with its place.
#[derive(Clone)]
pub(super) struct Part<'a> {
    pub(super) place: Place,
    pub(super) schema: &'a Value,
}

/// The keywords that determine the type of a value. A schema with `$ref` and none of them has the type of its target.
const SHAPING: [&str; 9] =
    ["type", "properties", "allOf", "anyOf", "oneOf", "enum", "const", "items", "additionalProperties"];

impl<'a> Documents<'a> {
    pub(super) fn new(documents: &'a Map<String, Value>, draft: &'a str) -> Self {
        let identified = documents.iter().filter(|(_, schema)| has_identifier(schema)).map(|(name, _)| name.as_str());
        Self { documents, draft, identified: identified.collect() }
    }

    pub(super) fn schema(&self, place: &Place) -> Option<&'a Value> {
        self.documents.get(&place.0)?.pointer(&place.1)
    }

    /// Returns the reference of a schema that has the type of its target; `None` for other schemas.
    pub(super) fn only_refers<'s>(&self, place: &Place, schema: &'s Value) -> Option<&'s str> {
        let reference = schema.get("$ref")?.as_str()?;
        let is_alone = self.ignores_siblings(place) || SHAPING.iter().all(|keyword| schema.get(keyword).is_none());
        is_alone.then_some(reference)
    }

    /// Returns the schemas that apply to the same value as this one: itself, the schemas of `allOf`, and the targets of their
    /// references.
    pub(super) fn parts(&self, place: &Place, schema: &'a Value) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        self.add_parts(place.clone(), schema, &mut BTreeSet::new(), &mut parts);
        parts
    }

    fn add_parts(&self, place: Place, schema: &'a Value, seen: &mut BTreeSet<Place>, parts: &mut Vec<Part<'a>>) {
        if !seen.insert(place.clone()) {
            return;
        }
        let target = self.target_of(&place, schema).and_then(|target| Some((self.schema(&target)?, target)));
        let is_found = target.is_some();
        if let Some((schema, target)) = target {
            self.add_parts(target, schema, seen, parts);
        }
        // keep a schema whose reference has no known target: its object then counts as open
        if is_found && self.only_refers(&place, schema).is_some() {
            return;
        }
        parts.push(Part { place: place.clone(), schema });
        for (index, inner) in schema.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
            self.add_parts((place.0.clone(), format!("{}/allOf/{index}", place.1)), inner, seen, parts);
        }
    }

    /// Returns the target of the schema's `$ref`; `None` if it has no `$ref`, or if the target isn't known.
    pub(super) fn target_of(&self, place: &Place, schema: &Value) -> Option<Place> {
        self.target(&place.0, schema.get("$ref")?.as_str()?)
    }

    /// Returns the target of a reference; `None` if a document has identifiers, or if the reference isn't a JSON Pointer into
    /// the documents.
    fn target(&self, from: &str, reference: &str) -> Option<Place> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let document = match file {
            "" => from.to_owned(),
            file if file.contains(':') => return None,
            file => beside(from, &uri::decoded(file))?,
        };
        let is_plain = |it: &str| self.documents.contains_key(it) && !self.identified.contains(it);
        let pointer = uri::decoded(fragment);
        (is_plain(from) && is_plain(&document) && (pointer.is_empty() || pointer.starts_with('/')))
            .then_some((document, pointer))
    }

    /// Returns whether the draft of a place ignores siblings of `$ref`.
    fn ignores_siblings(&self, place: &Place) -> bool {
        matches!(self.draft(place), "4" | "6" | "7")
    }

    pub(super) fn is_draft_4(&self, place: &Place) -> bool {
        self.draft(place) == "4"
    }

    fn draft(&self, place: &Place) -> &str {
        let named = self.documents.get(&place.0).and_then(|it| it.get("$schema")).and_then(Value::as_str);
        let drafts = [("draft-04", "4"), ("draft-06", "6"), ("draft-07", "7")];
        match named {
            Some(named) => drafts.iter().find(|(it, _)| named.contains(it)).map_or("later", |(_, draft)| draft),
            None => self.draft,
        }
    }
}

/// Returns whether a schema has an `$id` or `id`, which may change the targets of references.
fn has_identifier(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            let is_id = |name: &str| members.get(name).is_some_and(Value::is_string);
            is_id("$id") || is_id("id") || members.values().any(has_identifier)
        }
        Value::Array(items) => items.iter().any(has_identifier),
        _ => false,
    }
}
