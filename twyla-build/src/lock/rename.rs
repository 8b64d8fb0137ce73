//! Finds renamed properties: an unchanged property under another name is one change, not two.

use serde_json::{Map, Value};

use super::change::{Change, PlacedChange, items};
use crate::schema::load::{step, steps};

/// Merges the removal and the addition of properties with the same schema, and of their names in `required`, into a rename.
pub(super) fn find(old: &Map<String, Value>, new: &Map<String, Value>, at: &str, found: &mut Vec<PlacedChange>) {
    let properties = step(at, "properties");
    let required = step(at, "required");
    let name = |pointer: &str| {
        let name = pointer.strip_prefix(&properties)?.strip_prefix('/').filter(|name| !name.contains('/'))?;
        steps(&format!("/{name}")).next().map(std::borrow::Cow::into_owned)
    };
    let mut gone: Vec<(String, Value)> = Vec::new();
    let mut fresh: Vec<(String, Value)> = Vec::new();
    for (pointer, change) in found.iter() {
        match change {
            Change::Removed(value) => gone.extend(name(pointer).map(|name| (name, value.clone()))),
            Change::Added(value) => fresh.extend(name(pointer).map(|name| (name, value.clone()))),
            _ => {}
        }
    }
    let only = |list: &[(String, Value)], value: &Value| list.iter().filter(|(_, other)| other == value).count() == 1;
    for (from, value) in &gone {
        // several properties with one schema are ambiguous
        let Some((to, _)) = fresh.iter().find(|(_, other)| other == value) else { continue };
        if !only(&gone, value) || !only(&fresh, value) {
            continue;
        }
        let lists = |object: &Map<String, Value>, name: &String| {
            object.get("required").is_some_and(|list| items(list).iter().any(|item| item == name))
        };
        let (was_required, is_required) = (lists(old, from), lists(new, to));
        found.retain(|(pointer, change)| match change {
            Change::Removed(_) => name(pointer).as_ref() != Some(from),
            Change::Listed(value) | Change::Unlisted(value) => *pointer != required || value != from && value != to,
            _ => true,
        });
        let change = Change::Renamed { from: from.clone(), was_required, is_required };
        if let Some(added) = found.iter_mut().find(|(pointer, _)| name(pointer).as_ref() == Some(to)) {
            added.1 = change;
        }
    }
}
