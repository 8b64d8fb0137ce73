//! The numbers of a value that may have been rounded, as the text has them from which it was read.

use std::collections::HashMap;

use serde_json::Value;

use crate::decimal::Decimal;
use crate::schema::load::{self, Json, Node};

/// The first `f64` that several decimals without a fraction may stand for.
const LARGE: f64 = 9_007_199_254_740_992.0;

/// The decimals of the numbers that are read as a whole `f64`, by the addresses of the values, which must not be moved. `None` for
/// a decimal that is too long to compare.
#[derive(Debug, Default)]
pub(crate) struct Received(HashMap<usize, Option<Decimal>>);

impl Received {
    /// Finds the numbers of a value in the text from which it was read; `None` if it has none that may have been rounded.
    pub(crate) fn new(value: &Value, text: &str) -> Option<Self> {
        if !may_be_rounded(value) {
            return None;
        }
        // a problem of the text would have been found when the value was read
        let text = load::parse("text", text.as_bytes().to_vec(), &mut Vec::new())?;
        let mut received = Self::default();
        received.add(value, &text);
        Some(received)
    }

    // the depth of both is limited
    fn add(&mut self, value: &Value, text: &Node) {
        match (value, &text.json) {
            (Value::Number(_), Json::Number(text)) if may_be_rounded(value) => {
                self.0.insert(std::ptr::from_ref(value).addr(), Decimal::parse(text));
            }
            (Value::Array(items), Json::Array(texts)) => {
                items.iter().zip(texts).for_each(|(item, text)| self.add(item, text));
            }
            (Value::Object(members), Json::Object(_)) => {
                for (key, value) in members {
                    if let Some(text) = text.get(key) {
                        self.add(value, text);
                    }
                }
            }
            _ => {}
        }
    }

    /// Returns the decimal of a number: as it was received if it is beyond 2^53, otherwise the one that `serde_json` writes. `None`
    /// if the value isn't a number, or its decimal is too long.
    pub(super) fn decimal(received: Option<&Self>, value: &Value) -> Option<Decimal> {
        // smaller numbers are rounded before they are compared
        let is_large = || value.as_f64().is_some_and(|value| value.abs() >= LARGE);
        Self::exact(received.filter(|_| is_large()), value)
    }

    /// Returns the decimal of a number as it was received, otherwise the one that `serde_json` writes. `None` if the value isn't a
    /// number, or its decimal is too long.
    pub(super) fn exact(received: Option<&Self>, value: &Value) -> Option<Decimal> {
        match received.and_then(|received| received.0.get(&std::ptr::from_ref(value).addr())) {
            Some(decimal) => decimal.clone(),
            None => Decimal::parse(&value.as_number()?.to_string()),
        }
    }
}

/// Returns whether a value has a number that is read as a whole `f64`.
fn may_be_rounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64() && number.as_f64().is_some_and(|value| value.fract() == 0.0),
        Value::Array(items) => items.iter().any(may_be_rounded),
        Value::Object(members) => members.values().any(may_be_rounded),
        _ => false,
    }
}
