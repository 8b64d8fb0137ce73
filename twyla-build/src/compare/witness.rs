//! A value that was found, held to both sides and made as small as it can be.

use serde_json::{Map, Value};

use super::evaluate::{Broken, Evaluator, Held, Unknown, place_of};
use super::shape::Types;
use super::verdict::{Checked, Witness};
use crate::resolve::{Loc, Schemas};

/// How many smaller values are tried.
const TRIED: usize = 3_000;

/// A contract that values are held to.
pub(super) struct Judge<'a> {
    schemas: &'a Schemas,
    root: &'a Loc,
    evaluator: Evaluator<'a>,
    /// The types that hold the values; none where only the schema counts.
    types: Option<Types>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(schemas: &'a Schemas, root: &'a Loc, types: Option<Types>) -> Self {
        Self { schemas, root, evaluator: Evaluator::new(schemas), types }
    }

    /// Whether the value may be sent.
    pub(super) fn sends(&self, value: &Value) -> Held {
        Ok(self.types.as_ref().is_none_or(|types| types.unsent(value).is_none())
            && self.evaluator.is_valid(value, self.root)?)
    }

    /// Whether the value is accepted.
    fn accepts(&self, value: &Value) -> Held {
        Ok(self.types.as_ref().is_none_or(|types| types.unread(value).is_none())
            && self.evaluator.is_valid(value, self.root)?)
    }

    /// What of a value is refused.
    fn refuses(&self, value: &Value) -> Result<Option<Broken>, Unknown> {
        if let Some(broken) = self.evaluator.broken(value, self.root)? {
            return Ok(Some(broken));
        }
        let unread = self.types.as_ref().and_then(|types| types.unread(value));
        Ok(unread.map(|unread| {
            let path = place_of(self.schemas, self.root, &unread.pointer, "type");
            Broken { pointer: unread.pointer, keyword: "type".to_owned(), path, rule: unread.rule }
        }))
    }
}

/// The value as a witness, if the one side may send it and the other one refuses it.
pub(super) fn checked(producer: &Judge<'_>, consumer: &Judge<'_>, value: &Value) -> Option<Witness> {
    let breaks = |value: &Value| producer.sends(value) == Ok(true) && consumer.accepts(value) == Ok(false);
    if !breaks(value) {
        return None;
    }
    let value = smallest(value.clone(), &mut |value| breaks(value));
    let Broken { pointer, keyword, path, rule } = consumer.refuses(&value).ok().flatten()?;
    // what was made smaller is held to both sides once more
    breaks(&value).then_some(Witness { event: value, pointer, keyword, path, rule, checked: Checked::Evaluated })
}

/// The value with all that can be left out left out, and the rest as plain as it can be.
pub(super) fn smallest(mut value: Value, fits: &mut dyn FnMut(&Value) -> bool) -> Value {
    let mut left = TRIED;
    loop {
        let mut smaller = None;
        each_smaller(&value, &mut |candidate| {
            if left == 0 {
                return true;
            }
            left -= 1;
            if fits(&candidate) {
                smaller = Some(candidate);
                return true;
            }
            false
        });
        match smaller {
            Some(smaller) => value = smaller,
            None => return value,
        }
    }
}

/// Gives each value that is a step smaller, until one is taken. True if one was.
fn each_smaller(value: &Value, take: &mut dyn FnMut(Value) -> bool) -> bool {
    match value {
        Value::Object(members) => {
            for key in members.keys() {
                let mut fewer = members.clone();
                fewer.remove(key);
                if take(Value::Object(fewer)) {
                    return true;
                }
            }
            members.iter().any(|(key, inner)| {
                each_smaller(inner, &mut |smaller| {
                    let mut other: Map<String, Value> = members.clone();
                    other.insert(key.clone(), smaller);
                    take(Value::Object(other))
                })
            })
        }
        Value::Array(items) => {
            for index in (0..items.len()).rev() {
                let mut fewer = items.clone();
                fewer.remove(index);
                if take(Value::Array(fewer)) {
                    return true;
                }
            }
            items.iter().enumerate().any(|(index, inner)| {
                each_smaller(inner, &mut |smaller| {
                    let mut other = items.clone();
                    if let Some(item) = other.get_mut(index) {
                        *item = smaller;
                    }
                    take(Value::Array(other))
                })
            })
        }
        Value::String(text) if !text.is_empty() => {
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            let mut shorter = text.clone();
            shorter.pop();
            ["", &half, &shorter].into_iter().filter(|one| one.len() < text.len()).any(|one| take(one.into()))
        }
        Value::Number(number) => {
            let size = number.to_string().len();
            ["0", "1", "-1", "0.5"]
                .into_iter()
                .take_while(|one| *one != number.to_string())
                .any(|one| one.len() <= size && serde_json::from_str(one).is_ok_and(&mut *take))
        }
        _ => false,
    }
}
