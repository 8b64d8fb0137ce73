//! Equality of JSON values: `1` equals `1.0`, and the order of members means nothing.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::Value;

use super::received::Received;

/// Returns the index of the first item that equals an earlier one, with large numbers as they were received.
pub(super) fn twice(items: &[Value], received: Option<&Received>) -> Option<usize> {
    let mut known: HashMap<u64, Vec<&Value>> = HashMap::new();
    items.iter().position(|item| {
        let alike = known.entry(hash(item)).or_default();
        let is_known = alike.iter().any(|other| same(item, other, received));
        alike.push(item);
        is_known
    })
}

/// Returns a hash that is the same for equal values.
fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::Null => {}
        Value::Bool(value) => value.hash(&mut hasher),
        // equal numbers are the same `f64`, and -0 equals 0
        Value::Number(number) => number.as_f64().map(|float| (float + 0.0).to_bits()).hash(&mut hasher),
        Value::String(text) => text.hash(&mut hasher),
        Value::Array(items) => items.iter().for_each(|item| hash(item).hash(&mut hasher)),
        Value::Object(members) => {
            let sum = members.iter().fold(0_u64, |sum, (key, value)| {
                let mut one = DefaultHasher::new();
                (key, hash(value)).hash(&mut one);
                sum.wrapping_add(one.finish())
            });
            sum.hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Returns whether two values are equal.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    same(a, b, None)
}

fn same(a: &Value, b: &Value, received: Option<&Received>) -> bool {
    match (a, b) {
        (Value::Number(one), Value::Number(other)) => {
            received.is_none() && one == other || Received::decimal(received, a) == Received::decimal(received, b)
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, received)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b, received)))
        }
        _ => a == b,
    }
}
