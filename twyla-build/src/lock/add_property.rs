//! Proposes a new property beside a changed one: the old property stays, and the new one has the change.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::form::Form;
use super::undo;
use crate::compare::SchemaPath;
use crate::schema::draft::{HOLDERS, Subschemas};
use crate::schema::load::steps;

/// An old form with a new property.
#[derive(Debug)]
pub(super) struct AddedProperty {
    /// The form.
    pub(super) form: Form,
    /// The name of the changed property.
    pub(super) name: String,
    /// The name of the new property.
    pub(super) other: String,
}

/// Returns the old form with an added property, which has the new content of the property nearest to a place; `None` if
/// the object is closed.
pub(super) fn property(old: &Form, new: &Form, path: &SchemaPath) -> Option<AddedProperty> {
    let path_names: Vec<String> = steps(&path.pointer).map(Cow::into_owned).collect();
    let length = nearest(&path_names)?;
    let (name, parent) = path_names.get(..length)?.split_last()?;
    if is_closed(old.documents.get(&path.document)?, parent) {
        return None;
    }
    let mut form = old.clone();
    let mut other = name.clone();
    let value = {
        let mut document = new.documents.get(&path.document)?.clone();
        undo::walk(Arc::make_mut(&mut document), path_names.get(..length)?, false)?.take()
    };
    if value == Value::Null {
        return None;
    }
    let properties = undo::walk(form.document_mut(&path.document)?, parent, false)?.as_object_mut()?;
    while properties.contains_key(&other) {
        other = next(&other);
    }
    properties.insert(other.clone(), value);
    Some(AddedProperty { form, name: name.clone(), other })
}

/// Returns whether the object with these properties is closed: its readers refuse each property that is added, so no
/// added property is additive.
pub(super) fn is_closed(document: &Value, properties: &[String]) -> bool {
    let holder = properties.split_last().and_then(|(_, holder)| {
        holder.iter().try_fold(document, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            value => value.get(step),
        })
    });
    holder.is_some_and(|holder| holder.get("additionalProperties") == Some(&Value::Bool(false)))
}

/// Returns the name with the next number: `amount`, `amount_2`, `amount_3`.
pub(super) fn next(name: &str) -> String {
    let counted = name.rsplit_once('_').and_then(|(stem, number)| Some((stem, number.parse::<u32>().ok()?)));
    match counted {
        Some((stem, number)) => format!("{stem}_{}", number.saturating_add(1)),
        None => format!("{name}_2"),
    }
}

/// Returns the number of steps to the last property on a path.
fn nearest(path: &[String]) -> Option<usize> {
    let (mut at, mut found) = (0, None);
    while let Some(keyword) = path.get(at) {
        let holds = HOLDERS.iter().find(|(holder, _)| holder == keyword).map(|(_, holds)| holds);
        let next = path.get(at + 1);
        at += match holds {
            Some(Subschemas::Named) => {
                if keyword == "properties" && next.is_some() {
                    found = Some(at + 2);
                }
                2
            }
            Some(Subschemas::Many) => 2,
            Some(Subschemas::OneOrMany) if next.is_some_and(|next| next.parse::<usize>().is_ok()) => 2,
            Some(Subschemas::One | Subschemas::OneOrMany) => 1,
            None => break,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_property_is_found_through_other_keywords() {
        let path = |pointer: &str| steps(pointer).map(Cow::into_owned).collect::<Vec<_>>();
        for (pointer, length) in [
            ("/properties/a/maxLength", Some(2)),
            ("/properties/a/items/properties/b/enum/2", Some(5)),
            ("/properties/properties/maxLength", Some(2)),
            ("/$defs/properties/maxLength", None),
            ("/allOf/0/properties/a", Some(4)),
            ("/properties/a/items/0/type", Some(2)),
            ("/enum", None),
            ("", None),
        ] {
            assert_eq!(nearest(&path(pointer)), length, "{pointer}");
        }
    }

    #[test]
    fn a_closed_object_is_found_at_any_depth() {
        let document = serde_json::json!({
            "properties": { "a": { "items": [{ "properties": {}, "additionalProperties": false }] } },
            "additionalProperties": true,
        });
        let path = |pointer: &str| steps(pointer).map(Cow::into_owned).collect::<Vec<_>>();
        assert!(is_closed(&document, &path("/properties/a/items/0/properties")));
        assert!(!is_closed(&document, &path("/properties")));
        assert!(!is_closed(&document, &path("/$defs/b/properties")));
    }

    #[test]
    fn names_are_counted_on() {
        assert_eq!(next("amount"), "amount_2");
        assert_eq!(next("amount_2"), "amount_3");
        assert_eq!(next("line_a"), "line_a_2");
    }
}
