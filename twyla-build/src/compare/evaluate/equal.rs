//! Equality as JSON has it: `1` is `1.0`, and the order of members means nothing.

use serde_json::Value;

use crate::compare::decimal::Decimal;

/// Whether two values are one.
pub(in crate::compare) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || Decimal::parse(&a.to_string()) == Decimal::parse(&b.to_string())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}
