//! The edits between two forms of a contract, keyword by keyword: `/properties/emission/maxLength: 4000 -> 50`.

use std::fmt;

use serde_json::{Map, Value};
use twyla_contract::text::shortened;

use super::change::{Change, PlacedChange, items};
use super::form::Form;
use super::rename;
use super::similarity;
use crate::compare::{Bundle, SchemaPath};
use crate::schema::draft::{HOLDERS, Subschemas};
use crate::schema::load::step;

/// One change of a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The place of the edit: in the new form, or in the old one if the place was removed.
    pub path: SchemaPath,
    /// Whether the edit is in the contract's own file.
    pub own: bool,
    /// The change.
    pub change: Change,
}

impl Edit {
    /// Returns whether the edit changes only an identifier of a schema.
    pub(crate) fn is_of_name(&self) -> bool {
        self.path
            .pointer
            .rsplit('/')
            .next()
            .is_some_and(|last| matches!(last, "id" | "$id" | "$anchor" | "$dynamicAnchor"))
            && matches!(
                self.change,
                Change::Added(Value::String(_)) | Change::Removed(Value::String(_)) | Change::Changed { .. }
            )
    }

    /// Returns the value that the edit adds to a list; `None` for another edit.
    pub(crate) fn listed(&self) -> Option<&Value> {
        if let Change::Listed(value) = &self.change { Some(value) } else { None }
    }
}

impl fmt::Display for Edit {
    /// Writes the edit in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.own, &*self.path.pointer) {
            (true, "") => f.write_str("the schema: ")?,
            (true, pointer) => write!(f, "`{pointer}`: ")?,
            (false, _) => write!(f, "`{}`: ", self.path)?,
        }
        match &self.change {
            Change::Added(value) => write!(f, "added, {}", short(value)),
            Change::Removed(value) => write!(f, "removed, was {}", short(value)),
            Change::Changed { old, new } => write!(f, "{} -> {}", short(old), short(new)),
            Change::Listed(value) => write!(f, "{} added", short(value)),
            Change::Unlisted(value) => write!(f, "{} removed", short(value)),
            Change::Renamed { from, .. } => write!(f, "was named `{from}`"),
            Change::Read { old, new } => write!(f, "{old} -> {new}"),
        }
    }
}

/// The maximum number of characters of a value in a message.
const SHOWN: usize = 60;

/// Returns a value in one line, shortened.
pub(crate) fn short(value: &Value) -> String {
    shortened(&value.to_string(), SHOWN).into_owned()
}

/// Returns all edits between two bundles of a contract, file by file, in the order of their places.
#[must_use]
pub fn edits(old: &Bundle, new: &Bundle) -> Vec<Edit> {
    if old == new { Vec::new() } else { of_forms(&Form::of(old), &Form::of(new)) }
}

/// Returns all edits between two forms. A document in only one of them isn't an edit by itself: the reference to it is.
pub(crate) fn of_forms(old: &Form, new: &Form) -> Vec<Edit> {
    let mut out = Vec::new();
    let root = || SchemaPath { document: new.root.clone(), pointer: String::new() };
    let mut read = |old: String, new: String| {
        if old != new {
            out.push(Edit { path: root(), own: true, change: Change::Read { old, new } });
        }
    };
    read(format!("draft {}", old.draft), format!("draft {}", new.draft));
    let formats = |form: &Form| format!("`format` {}", if form.formats { "is a rule" } else { "is an annotation" });
    read(formats(old), formats(new));
    let mut file = |document: &str, before: &Value, after: &Value| {
        let mut found = Vec::new();
        schema(before, after, "", &mut found);
        out.extend(found.into_iter().map(|(pointer, change)| {
            let path = SchemaPath { document: document.to_owned(), pointer };
            Edit { path, own: document == new.root, change }
        }));
    };
    file(&new.root, old.own(), new.own());
    for (name, after) in new.documents.iter().filter(|(name, _)| **name != new.root) {
        if let Some(before) = old.documents.get(name) {
            file(name, before, after);
        }
    }
    out
}

fn schema(old: &Value, new: &Value, at: &str, out: &mut Vec<PlacedChange>) {
    if old == new {
        return;
    }
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        out.push(changed(at, old, new));
        return;
    };
    let mut found = Vec::new();
    both(before, after, at, &mut found, |keyword, old, new, out| {
        let at = step(at, keyword);
        match HOLDERS.iter().find(|(holder, _)| *holder == keyword).map(|(_, holds)| holds) {
            Some(Subschemas::Named) => named(old, new, &at, out),
            Some(Subschemas::Many) if keyword != "prefixItems" => combined(old, new, &at, out),
            Some(Subschemas::Many) => listed(old, new, &at, out),
            Some(Subschemas::OneOrMany) if old.is_array() && new.is_array() => listed(old, new, &at, out),
            Some(Subschemas::One | Subschemas::OneOrMany) => schema(old, new, &at, out),
            None if matches!(keyword, "required" | "enum" | "type") => set(keyword, old, new, &at, out),
            None if keyword == "dependentRequired" => named(old, new, &at, out),
            None => out.push(changed(&at, old, new)),
        }
    });
    rename::find(before, after, at, &mut found);
    out.append(&mut found);
}

/// Compares the members of both objects, in the order of their names.
fn both(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    at: &str,
    out: &mut Vec<PlacedChange>,
    mut each: impl FnMut(&str, &Value, &Value, &mut Vec<PlacedChange>),
) {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if old != new => each(name, old, new, out),
            (None, Some(value)) => alone(name, value, at, out, Change::Listed, Change::Added),
            (Some(value), None) => alone(name, value, at, out, Change::Unlisted, Change::Removed),
            _ => {}
        }
    }
}

/// Reports a member that only one side has. The names of `required` and the members of `properties` are reported one by
/// one.
fn alone(
    name: &str,
    value: &Value,
    at: &str,
    out: &mut Vec<PlacedChange>,
    item: impl Fn(Value) -> Change,
    member: impl Fn(Value) -> Change,
) {
    let at = step(at, name);
    match value {
        Value::Array(items) if name == "required" && !items.is_empty() => {
            out.extend(items.iter().map(|value| (at.clone(), item(value.clone()))));
        }
        Value::Object(members) if name == "properties" && !members.is_empty() => {
            let mut names: Vec<(&String, &Value)> = members.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            out.extend(names.into_iter().map(|(name, value)| (step(&at, name), member(value.clone()))));
        }
        _ => out.push((at, member(value.clone()))),
    }
}

fn changed(at: &str, old: &Value, new: &Value) -> PlacedChange {
    (at.to_owned(), Change::Changed { old: old.clone(), new: new.clone() })
}

/// Compares subschemas or lists of names, by name.
fn named(old: &Value, new: &Value, at: &str, out: &mut Vec<PlacedChange>) {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        out.push(changed(at, old, new));
        return;
    };
    both(before, after, at, out, |name, old, new, out| {
        let at = step(at, name);
        let lists = old.is_array() && new.is_array();
        if lists { set("required", old, new, &at, out) } else { schema(old, new, &at, out) }
    });
}

/// Compares lists regardless of order. A single `type` counts as a list with one item.
fn set(keyword: &str, old: &Value, new: &Value, at: &str, out: &mut Vec<PlacedChange>) {
    let (before, after) = (items(old), items(new));
    // an entirely different list is one change
    if keyword != "required" && !before.iter().any(|value| after.contains(value)) {
        out.push(changed(at, old, new));
        return;
    }
    let gone = before.iter().filter(|value| !after.contains(value));
    out.extend(gone.map(|value| (at.to_owned(), Change::Unlisted(value.clone()))));
    let fresh = after.iter().filter(|value| !before.contains(value));
    out.extend(fresh.map(|value| (at.to_owned(), Change::Listed(value.clone()))));
}

/// Compares subschemas by index.
fn listed(old: &Value, new: &Value, at: &str, out: &mut Vec<PlacedChange>) {
    let (before, after) = (items(old), items(new));
    for index in 0..before.len().max(after.len()) {
        let at = step(at, &index.to_string());
        match (before.get(index), after.get(index)) {
            (Some(old), Some(new)) => schema(old, new, &at, out),
            (None, Some(value)) => out.push((at, Change::Added(value.clone()))),
            (Some(value), None) => out.push((at, Change::Removed(value.clone()))),
            (None, None) => {}
        }
    }
}

/// Compares subschemas of `allOf`, `anyOf` and `oneOf`, regardless of order: each with the most similar one.
fn combined(old: &Value, new: &Value, at: &str, out: &mut Vec<PlacedChange>) {
    let (before, after) = (items(old), items(new));
    let mut left: Vec<(usize, &Value)> = before.iter().enumerate().collect();
    let mut fresh: Vec<(usize, &Value)> = Vec::new();
    for (index, value) in after.iter().enumerate() {
        match left.iter().position(|(_, other)| *other == value) {
            Some(same) => drop(left.remove(same)),
            None => fresh.push((index, value)),
        }
    }
    // many added and removed subschemas would need a quadratic number of comparisons
    let few = left.len().saturating_mul(fresh.len()) <= MOST_PAIRS;
    for (index, value) in fresh {
        let at = step(at, &index.to_string());
        let like = left.iter().map(|(_, other)| if few { similarity::likeness(other, value) } else { 0.0 }).enumerate();
        let best = like.filter(|(_, like)| *like >= similarity::LIKE).max_by(|(_, a), (_, b)| a.total_cmp(b));
        match best {
            Some((best, _)) => schema(left.remove(best).1, value, &at, out),
            None => out.push((at, Change::Added(value.clone()))),
        }
    }
    out.extend(left.into_iter().map(|(index, value)| (step(at, &index.to_string()), Change::Removed(value.clone()))));
}

/// The maximum number of pairs that are compared for similarity.
const MOST_PAIRS: usize = 400;
