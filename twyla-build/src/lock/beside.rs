//! A property beside the one that was to be changed: the old one stays what it is, and the new one has what is new.

use std::borrow::Cow;

use serde_json::Value;

use super::form::Form;
use super::undo;
use crate::compare::SchemaPath;
use crate::schema::draft::{HOLDERS, Holds};
use crate::schema::load::steps;

/// An old form with a new property.
#[derive(Debug)]
pub(super) struct Beside {
    /// The form.
    pub(super) form: Form,
    /// The property that was to be changed.
    pub(super) name: String,
    /// The new one.
    pub(super) other: String,
}

/// Puts what the nearest property around a place has become beside what it was.
pub(super) fn property(old: &Form, new: &Form, path: &SchemaPath) -> Option<Beside> {
    let path_names: Vec<String> = steps(&path.pointer).map(Cow::into_owned).collect();
    let length = nearest(&path_names)?;
    let (name, parent) = path_names.get(..length)?.split_last()?;
    let mut form = old.clone();
    let mut other = name.clone();
    let value = {
        let mut document = new.documents.get(&path.document)?.clone();
        undo::walk(&mut document, path_names.get(..length)?, false)?.take()
    };
    if value == Value::Null {
        return None;
    }
    let properties = undo::walk(form.documents.get_mut(&path.document)?, parent, false)?.as_object_mut()?;
    while properties.contains_key(&other) {
        other = next(&other);
    }
    properties.insert(other.clone(), value);
    Some(Beside { form, name: name.clone(), other })
}

/// The name with the next number: `amount`, `amount_2`, `amount_3`.
pub(super) fn next(name: &str) -> String {
    let counted = name.rsplit_once('_').and_then(|(stem, number)| Some((stem, number.parse::<u32>().ok()?)));
    match counted {
        Some((stem, number)) => format!("{stem}_{}", number.saturating_add(1)),
        None => format!("{name}_2"),
    }
}

/// How many steps of a path lead to the last property on it.
fn nearest(path: &[String]) -> Option<usize> {
    let (mut at, mut found) = (0, None);
    while let Some(keyword) = path.get(at) {
        let holds = HOLDERS.iter().find(|(holder, _)| holder == keyword).map(|(_, holds)| holds);
        let next = path.get(at + 1);
        at += match holds {
            Some(Holds::Named) => {
                if keyword == "properties" && next.is_some() {
                    found = Some(at + 2);
                }
                2
            }
            Some(Holds::Many) => 2,
            Some(Holds::OneOrMany) if next.is_some_and(|next| next.parse::<usize>().is_ok()) => 2,
            Some(Holds::One | Holds::OneOrMany) => 1,
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
    fn names_are_counted_on() {
        assert_eq!(next("amount"), "amount_2");
        assert_eq!(next("amount_2"), "amount_3");
        assert_eq!(next("line_a"), "line_a_2");
    }
}
