//! What an absent property is read as: its `default`, where that is a value of the property for sure.

use super::read::Reader;
use super::rules::{self, Check};
use super::{Body, Held, Shape, TypeId};
use crate::load::{Json, Node};
use crate::pattern::{self, Translated};

/// A default as an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fallback {
    Null,
    Boolean(bool),
    Integer(i128),
    Number(f64),
    String(String),
    /// The variant of an enum, by its index.
    Variant(TypeId, usize),
    EmptyArray,
    EmptyMap,
    Some(Box<Fallback>),
}

impl Reader<'_> {
    /// The default of a property, where its type takes it and it breaks no rule.
    pub(super) fn fallback(&self, held: &Held, default: &Node) -> Option<Fallback> {
        if !held.trees.is_empty() {
            return None;
        }
        let fallback = match (&held.shape, &default.json) {
            (Shape::Nullable(_), Json::Null) => Fallback::Null,
            (Shape::Nullable(inner), _) => return Some(Fallback::Some(Box::new(self.fallback(inner, default)?))),
            (Shape::Boolean, Json::Bool(value)) => Fallback::Boolean(*value),
            (Shape::Integer { unsigned, .. }, Json::Number(text)) => {
                let value = rules::whole(text)?;
                let fits = if *unsigned { u64::try_from(value).is_ok() } else { i64::try_from(value).is_ok() };
                fits.then_some(Fallback::Integer(value))?
            }
            (Shape::Number, Json::Number(text)) => {
                Fallback::Number(text.parse().ok().filter(|value: &f64| value.is_finite())?)
            }
            (Shape::String, Json::String(text)) => Fallback::String(text.clone()),
            (Shape::Named(id), Json::String(text)) => {
                let Body::Enum { words, .. } = &self.types.get(*id)?.as_ref()?.body else { return None };
                Fallback::Variant(*id, words.iter().position(|word| word == text)?)
            }
            (Shape::Array(_), Json::Array(items)) if items.is_empty() => Fallback::EmptyArray,
            (Shape::Map(_), Json::Object(members)) if members.is_empty() => Fallback::EmptyMap,
            _ => return None,
        };
        held.checks.iter().all(|check| holds(check, &fallback)).then_some(fallback)
    }
}

/// Whether a default keeps a rule; false also where that isn't known here.
fn holds(check: &Check, value: &Fallback) -> bool {
    match (check, value) {
        (Check::MinLength(limit), Fallback::String(text)) => text.chars().count() as u64 >= *limit,
        (Check::MaxLength(limit), Fallback::String(text)) => text.chars().count() as u64 <= *limit,
        (Check::Pattern(written), Fallback::String(text)) => match pattern::translate(written) {
            Some(Translated::Plain(translated)) => {
                regex::Regex::new(&translated).is_ok_and(|pattern| pattern.is_match(text))
            }
            _ => false,
        },
        (Check::Minimum(limit), Fallback::Integer(value)) => value >= limit,
        (Check::Maximum(limit), Fallback::Integer(value)) => value <= limit,
        (Check::MultipleOf(factor), Fallback::Integer(value)) => *factor != 0 && value % factor == 0,
        (Check::Integers(values), Fallback::Integer(value)) => values.contains(value),
        (Check::Booleans(values), Fallback::Boolean(value)) => values.contains(value),
        (Check::Number(rule, limit), Fallback::Number(value)) => match *rule {
            "minimum_number" => value >= limit,
            "maximum_number" => value <= limit,
            "exclusive_minimum_number" => value > limit,
            _ => value < limit,
        },
        (Check::MinItems(limit), Fallback::EmptyArray) | (Check::MinProperties(limit), Fallback::EmptyMap) => {
            *limit == 0
        }
        (Check::MaxItems(_) | Check::UniqueItems, Fallback::EmptyArray)
        | (Check::MaxProperties(_), Fallback::EmptyMap) => true,
        _ => false,
    }
}
