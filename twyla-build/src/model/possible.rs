//! The values that a schema may allow, as an upper bound: the JSON types, and the values of a type if they are listed.

use std::collections::BTreeSet;

use crate::json_type::JsonType;
use crate::number::Number;
use crate::schema::load::{Json, Node};

/// The possible values of one JSON type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Values<T> {
    /// Only the listed values; with an empty list, no value is possible.
    Listed(BTreeSet<T>),
    Any,
}

impl<T: Ord + Clone> Values<T> {
    const NONE: Self = Self::Listed(BTreeSet::new());

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Listed(values) if values.is_empty())
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Listed(mut values), Self::Listed(more)) => {
                values.extend(more);
                Self::Listed(values)
            }
            _ => Self::Any,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, values) | (values, Self::Any) => values,
            (Self::Listed(values), Self::Listed(more)) => Self::Listed(values.intersection(&more).cloned().collect()),
        }
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Listed(values), Self::Listed(more)) => values.is_disjoint(more),
            (values, more) => values.is_none() || more.is_none(),
        }
    }
}

/// The possible values of a schema. Every value that the schema allows is among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Possible {
    pub(super) null: bool,
    pub(super) booleans: Values<bool>,
    /// A list has integers only.
    pub(super) numbers: Values<i128>,
    /// Whether all numbers are integers.
    pub(super) integral: bool,
    pub(super) strings: Values<String>,
    pub(super) array: bool,
    pub(super) object: bool,
}

impl Possible {
    pub(super) const ALL: Self = Self {
        null: true,
        booleans: Values::Any,
        numbers: Values::Any,
        integral: false,
        strings: Values::Any,
        array: true,
        object: true,
    };

    pub(super) const NONE: Self = Self {
        null: false,
        booleans: Values::NONE,
        numbers: Values::NONE,
        integral: true,
        strings: Values::NONE,
        array: false,
        object: false,
    };

    pub(super) fn of_types<'a>(types: impl IntoIterator<Item = &'a str>) -> Self {
        types.into_iter().fold(Self::NONE, |out, type_| match type_ {
            "null" => Self { null: true, ..out },
            "boolean" => Self { booleans: Values::Any, ..out },
            "number" => Self { numbers: Values::Any, integral: false, ..out },
            "integer" => Self { numbers: Values::Any, ..out },
            "string" => Self { strings: Values::Any, ..out },
            "array" => Self { array: true, ..out },
            "object" => Self { object: true, ..out },
            _ => Self::ALL,
        })
    }

    pub(super) fn of_value(value: &Node) -> Self {
        match &value.json {
            Json::Null => Self { null: true, ..Self::NONE },
            Json::Bool(value) => Self { booleans: Values::Listed([*value].into()), ..Self::NONE },
            Json::Number(text) => match Number::new(text).whole() {
                Some(value) => Self { numbers: Values::Listed([value].into()), ..Self::NONE },
                None => Self { numbers: Values::Any, integral: false, ..Self::NONE },
            },
            Json::String(text) => Self { strings: Values::Listed([text.clone()].into()), ..Self::NONE },
            Json::Array(_) => Self { array: true, ..Self::NONE },
            Json::Object(_) => Self { object: true, ..Self::NONE },
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            null: self.null || other.null,
            booleans: self.booleans.or(other.booleans),
            numbers: self.numbers.or(other.numbers),
            integral: self.integral && other.integral,
            strings: self.strings.or(other.strings),
            array: self.array || other.array,
            object: self.object || other.object,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            null: self.null && other.null,
            booleans: self.booleans.and(other.booleans),
            numbers: self.numbers.and(other.numbers),
            integral: self.integral || other.integral,
            strings: self.strings.and(other.strings),
            array: self.array && other.array,
            object: self.object && other.object,
        }
    }

    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        !(self.null && other.null || self.array && other.array || self.object && other.object)
            && self.booleans.is_disjoint(&other.booleans)
            && self.numbers.is_disjoint(&other.numbers)
            && self.strings.is_disjoint(&other.strings)
    }

    pub(super) fn has(&self, type_: JsonType) -> bool {
        match type_ {
            JsonType::Null => self.null,
            JsonType::Boolean => !self.booleans.is_none(),
            JsonType::Number => !self.numbers.is_none(),
            JsonType::String => !self.strings.is_none(),
            JsonType::Array => self.array,
            JsonType::Object => self.object,
        }
    }

    /// Returns the possible JSON types apart from null.
    pub(super) fn types(&self) -> Vec<JsonType> {
        JsonType::ALL.into_iter().filter(|type_| *type_ != JsonType::Null && self.has(*type_)).collect()
    }

    /// Returns whether only objects are possible.
    pub(super) fn is_object(&self) -> bool {
        !self.null && self.types() == [JsonType::Object]
    }

    /// Returns whether any JSON type but null is possible.
    pub(super) fn is_of_all_types(&self) -> bool {
        self.types().len() == JsonType::ALL.len() - 1
    }

    pub(super) fn is_none(&self) -> bool {
        JsonType::ALL.into_iter().all(|type_| !self.has(type_))
    }
}
