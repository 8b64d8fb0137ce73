//! Examples of a contract, made from its schema. A sensitive value (`x-sensitive`) is replaced, so that no reader takes it
//! for a real one: a string by `[sensitive]` or by asterisks, a number by 0. It stays if the contract allows none of these.

use serde_json::Value;
use twyla_sample::Extent;
use twyla_sample::view::{Subschema, View};

use crate::commands::sample::{self, Error};
use crate::support::contracts::Contract;
use crate::support::json::step;

/// The text that replaces a sensitive string.
const SENSITIVE: &str = "[sensitive]";
/// The maximum depth of the search for sensitive values: of nested values, and of nested schemas for one value.
const DEEPEST: usize = 64;

/// Returns a valid value, with its sensitive strings and numbers replaced if the contract allows that.
pub(super) fn example(contract: &Contract<'_>, extent: Extent) -> Result<Value, Error> {
    let mut value = sample::sample(contract, extent)?;
    let mut places = Vec::new();
    places_in(&contract.held.root().view(), &value, "", false, 0, &mut places);
    places.sort();
    places.dedup();
    for place in places {
        let Some(old) = value.pointer(&place).cloned() else { continue };
        let plain = plain(&old).into_iter().any(|plain| {
            if let Some(it) = value.pointer_mut(&place) {
                *it = plain;
            }
            contract.held.is_valid(&value)
        });
        if let Some(it) = value.pointer_mut(&place).filter(|_| !plain) {
            *it = old;
        }
    }
    Ok(value)
}

/// Returns the replacements to try for a sensitive value, the best first.
fn plain(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => vec![SENSITIVE.into(), "*".repeat(text.chars().count()).into()],
        Value::Number(_) => vec![0.into()],
        _ => Vec::new(),
    }
}

/// Adds the JSON Pointers of sensitive strings and numbers to `out`.
fn places_in(view: &View<'_>, value: &Value, at: &str, within: bool, deep: usize, out: &mut Vec<String>) {
    if deep > DEEPEST {
        return;
    }
    let is_sensitive = within || view.all("x-sensitive").any(|it| *it == Value::Bool(true));
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = format!("{at}{}", step(name));
                places_in(&view.member(name), member, &at, is_sensitive, deep + 1, out);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                places_in(&view.item(i), item, &format!("{at}/{i}"), is_sensitive, deep + 1, out);
            }
        }
        Value::String(_) | Value::Number(_) if is_sensitive => out.push(at.to_owned()),
        _ => {}
    }
    // a value that is sensitive in one alternative is sensitive in all
    for part in &view.parts {
        let several = ["oneOf", "anyOf"].into_iter().flat_map(|it| part.items(it));
        let one = ["if", "then", "else"].into_iter().filter_map(|it| part.one(it));
        let named = part.named("dependentSchemas").map(|(_, below)| below);
        let cases: Vec<Subschema<'_>> = several.chain(one).chain(named).collect();
        for case in cases {
            places_in(&case.view(), value, at, is_sensitive, deep + 1, out);
        }
    }
}
