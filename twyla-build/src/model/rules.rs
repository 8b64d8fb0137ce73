//! Value rules that are held in place, read from the keywords of one type each.

use std::fmt;

use crate::load::{Json, Node};
use crate::markdown::code;

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Check {
    MinLength(u64),
    MaxLength(u64),
    Pattern(String),
    /// The variant of `twyla_runtime`'s `Format`, and the name in the schema.
    Format(&'static str, String),
    Minimum(i128),
    Maximum(i128),
    MultipleOf(i128),
    /// The rule's function and the limit.
    Number(&'static str, f64),
    Integers(Vec<i128>),
    Booleans(Vec<bool>),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    MinProperties(u64),
    MaxProperties(u64),
    Required(String),
}

impl fmt::Display for Check {
    /// In the schema's words, for docs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinLength(limit) => write!(f, "`minLength` {limit}"),
            Self::MaxLength(limit) => write!(f, "`maxLength` {limit}"),
            Self::Pattern(written) => write!(f, "`pattern` {}", code(written)),
            Self::Format(_, name) => write!(f, "`format` {name}"),
            Self::Minimum(limit) => write!(f, "`minimum` {limit}"),
            Self::Maximum(limit) => write!(f, "`maximum` {limit}"),
            Self::MultipleOf(factor) => write!(f, "`multipleOf` {factor}"),
            Self::Number(rule, limit) => write!(f, "`{}` {limit}", keyword(rule)),
            Self::Integers(values) => write!(f, "one of {values:?}"),
            Self::Booleans(values) => write!(f, "one of {values:?}"),
            Self::MinItems(limit) => write!(f, "`minItems` {limit}"),
            Self::MaxItems(limit) => write!(f, "`maxItems` {limit}"),
            Self::UniqueItems => f.write_str("`uniqueItems`"),
            Self::MinProperties(limit) => write!(f, "`minProperties` {limit}"),
            Self::MaxProperties(limit) => write!(f, "`maxProperties` {limit}"),
            Self::Required(name) => write!(f, "{} is required", code(name)),
        }
    }
}

fn keyword(rule: &str) -> &str {
    match rule {
        "minimum_number" => "minimum",
        "maximum_number" => "maximum",
        "exclusive_minimum_number" => "exclusiveMinimum",
        _ => "exclusiveMaximum",
    }
}

/// A size: a whole number that may be written `2.0`.
pub(crate) fn size(node: Option<&Node>) -> Option<u64> {
    let Json::Number(text) = &node?.json else { return None };
    text.parse().ok().or_else(|| whole(text).and_then(|value| u64::try_from(value).ok()))
}

/// A number as an integer, where it is one.
pub(crate) fn whole(text: &str) -> Option<i128> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let value: f64 = text.parse().ok()?;
    exact(value)
}

#[expect(clippy::float_cmp, clippy::cast_possible_truncation, reason = "a whole float in this range is cast exactly")]
pub(super) fn exact(value: f64) -> Option<i128> {
    (value.trunc() == value && value.abs() < 1e38).then_some(value as i128)
}

/// A number as a float, where a comparison with it is right even though integers above 2^53 are rounded when read.
pub(crate) fn float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    (value.abs() < 9_007_199_254_740_992.0).then_some(value)
}

/// The least integer that is not below a number, or the greatest that is not above.
pub(crate) fn bound(text: &str, up: bool) -> Option<i128> {
    if let Some(value) = whole(text) {
        return Some(value);
    }
    let value: f64 = text.parse().ok()?;
    exact(if up { value.ceil() } else { value.floor() })
}
