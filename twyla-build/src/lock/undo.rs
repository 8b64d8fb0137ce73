//! Undoes one edit of a form, to find the edit that breaks.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::change::Change;
use super::edit::Edit;
use super::form::Form;
use crate::schema::load::steps;

/// Undoes one edit in the new form; `None` if its place doesn't exist.
pub(crate) fn undone(new: &Form, old: &Form, edit: &Edit) -> Option<Form> {
    let mut made = new.clone();
    let mut path: Vec<String> = steps(&edit.path.pointer).map(Cow::into_owned).collect();
    if let Change::Read { old: was, .. } = &edit.change {
        if was.starts_with("draft ") {
            made.draft.clone_from(&old.draft);
        } else {
            made.formats = old.formats;
        }
        return Some(made);
    }
    // an undone reference may need a file that the new form doesn't have
    for (name, document) in &old.documents {
        made.documents.entry(name.clone()).or_insert_with(|| document.clone());
    }
    let document = made.document_mut(&edit.path.document)?;
    match &edit.change {
        Change::Changed { old, .. } => *document.pointer_mut(&edit.path.pointer)? = old.clone(),
        Change::Listed(value) => unlist(document, &path, value)?,
        Change::Unlisted(value) => list(document, &path, value)?,
        Change::Added(value) => {
            let last = path.pop()?;
            match walk(document, &path, false)? {
                Value::Object(members) => drop(members.remove(&last)?),
                Value::Array(items) => {
                    // other undone edits may have moved the item
                    let at = index(&last).filter(|at| items.get(*at) == Some(value));
                    let at = at.or_else(|| items.iter().position(|item| item == value))?;
                    items.remove(at);
                }
                _ => return None,
            }
        }
        Change::Removed(value) => {
            let last = path.pop()?;
            match walk(document, &path, true)? {
                Value::Object(members) => drop(members.insert(last, value.clone())),
                Value::Array(items) => items.insert(index(&last)?.min(items.len()), value.clone()),
                _ => return None,
            }
        }
        Change::Renamed { from, was_required, is_required } => {
            let to = path.pop()?;
            let properties = walk(document, &path, false)?.as_object_mut()?;
            let value = properties.remove(&to)?;
            properties.insert(from.clone(), value);
            *path.last_mut()? = "required".to_owned();
            if *is_required {
                unlist(document, &path, &Value::from(to))?;
            }
            if *was_required {
                list(document, &path, &Value::from(from.as_str()))?;
            }
        }
        Change::Read { .. } => {}
    }
    Some(made)
}

fn index(name: &str) -> Option<usize> {
    name.parse().ok()
}

/// Adds a value to the list at a path.
pub(crate) fn list(document: &mut Value, path: &[String], value: &Value) -> Option<()> {
    let (last, parent) = path.split_last()?;
    let object = walk(document, parent, true)?.as_object_mut()?;
    let list = object.entry(last.clone()).or_insert_with(|| Value::Array(Vec::new()));
    if !list.is_array() {
        *list = Value::Array(vec![list.take()]);
    }
    list.as_array_mut()?.push(value.clone());
    Some(())
}

/// Removes a value from the list at a path, and the list if it is empty then.
pub(crate) fn unlist(document: &mut Value, path: &[String], value: &Value) -> Option<()> {
    let (last, parent) = path.split_last()?;
    let object = walk(document, parent, false)?.as_object_mut()?;
    let left = {
        let items = object.get_mut(last)?.as_array_mut()?;
        items.retain(|item| item != value);
        items.len()
    };
    if left == 0 {
        object.remove(last);
    }
    Some(())
}

/// Returns the value at a path. If `make`, missing objects are created.
pub(crate) fn walk<'a>(mut value: &'a mut Value, path: &[String], make: bool) -> Option<&'a mut Value> {
    for name in path {
        value = match value {
            Value::Object(members) => {
                if make && !members.contains_key(name) {
                    members.insert(name.clone(), Value::Object(Map::new()));
                }
                members.get_mut(name)?
            }
            Value::Array(items) => items.get_mut(index(name)?)?,
            _ => return None,
        };
    }
    Some(value)
}
