//! Measures how similar two schemas are, to recognize renamed contracts and to pair the subschemas of two `allOf`,
//! `anyOf` or `oneOf`.

use std::collections::HashMap;

use serde_json::Value;

use crate::schema::load::step;

/// The minimum similarity of two schemas that count as versions of the same schema.
pub(crate) const LIKE: f64 = 0.6;

/// Returns the similarity of two schemas, from 0 to 1: the share of common leaves, each a value with its place.
pub(crate) fn likeness(a: &Value, b: &Value) -> f64 {
    if a == b {
        return 1.0;
    }
    let (mut counts, mut one) = (HashMap::new(), 0_u32);
    leaves(a, "", &mut |leaf| {
        *counts.entry(leaf).or_insert(0_u32) += 1;
        one += 1;
    });
    let (mut common, mut other) = (0_u32, 0_u32);
    leaves(b, "", &mut |leaf| {
        other += 1;
        if let Some(count) = counts.get_mut(&leaf).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    });
    let all = one + other - common;
    if all == 0 { 1.0 } else { f64::from(common) / f64::from(all) }
}

fn leaves(value: &Value, at: &str, found: &mut impl FnMut(String)) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| leaves(value, &step(at, name), found));
        }
        // indexes of lists are ignored
        Value::Array(items) if !items.is_empty() => items.iter().for_each(|item| leaves(item, &step(at, "-"), found)),
        leaf => found(format!("{at} {leaf}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_version_is_like_its_last_one_and_another_contract_is_not() {
        let text = |max: u32| json!({"type": "object", "properties": {"text": {"type": "string", "maxLength": max}, "who": {"type": "string"}}, "required": ["text"]});
        let order = json!({"type": "object", "properties": {"id": {"type": "string"}, "total": {"type": "number"}}, "required": ["id"]});
        assert!(likeness(&text(50), &text(100)) >= LIKE);
        assert!(likeness(&text(50), &order) < LIKE);
        assert!((likeness(&text(50), &text(50)) - 1.0).abs() < f64::EPSILON);
        assert!((likeness(&json!({}), &json!({})) - 1.0).abs() < f64::EPSILON);
        assert!(likeness(&json!({}), &order) < LIKE);
    }
}
