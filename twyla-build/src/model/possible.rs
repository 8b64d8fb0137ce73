//! The values that a schema may allow, as an upper bound: by JSON type, and which ones if they are listed.

use std::collections::BTreeSet;

use super::reader::SchemaReader;
use super::types::JsonType;
use crate::number::Number;
use crate::schema::load::{Json, Node};
use crate::schema::schemas::Loc;

/// Limit of schemas read for one bound. Beyond it, every value counts as possible.
const MOST_STEPS: usize = 2000;

/// Limit of schemas within one another that apply to the same value.
const DEEPEST: usize = 32;

/// The possible values of one JSON type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Values<T> {
    /// Only these; none if it is empty.
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

    const NONE: Self = Self {
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

    fn of_value(value: &Node) -> Self {
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

    /// Whether only objects are possible.
    pub(super) fn is_object(&self) -> bool {
        !self.null && self.types() == [JsonType::Object]
    }

    /// Whether any JSON type but null is possible.
    pub(super) fn is_of_all_types(&self) -> bool {
        self.types().len() == JsonType::ALL.len() - 1
    }

    pub(super) fn is_none(&self) -> bool {
        JsonType::ALL.into_iter().all(|type_| !self.has(type_))
    }
}

impl SchemaReader<'_> {
    /// Returns the possible values of a schema.
    pub(super) fn possible(&self, loc: &Loc) -> Possible {
        self.bound(loc, 0, &mut 0)
    }

    fn bound(&self, loc: &Loc, depth: usize, steps: &mut usize) -> Possible {
        *steps += 1;
        if depth > DEEPEST || *steps > MOST_STEPS {
            return Possible::ALL;
        }
        if let Json::Bool(value) = self.node(loc).json {
            return if value { Possible::ALL } else { Possible::NONE };
        }
        let mut out = Possible::ALL;
        if let Some(target) = self.schemas.refs.get(loc) {
            out = self.bound(target, depth + 1, steps);
            if self.schemas.draft(loc).ref_stands_alone() {
                return out;
            }
        }
        if let Some(kinds) = self.kinds(loc) {
            out = out.and(Possible::of_types(kinds));
        }
        if let Some(value) = self.get(loc, "const") {
            out = out.and(Possible::of_value(value));
        }
        if let Some(values) = self.get(loc, "enum") {
            out = out.and(values.items().iter().map(Possible::of_value).fold(Possible::NONE, Possible::or));
        }
        for (at, _) in self.listed(loc, "allOf") {
            out = out.and(self.bound(&at, depth + 1, steps));
        }
        for keyword in ["anyOf", "oneOf"] {
            if self.has(loc, keyword) {
                let any = self.listed(loc, keyword).fold(Possible::NONE, |any, (at, _)| {
                    if any == Possible::ALL { any } else { any.or(self.bound(&at, depth + 1, steps)) }
                });
                out = out.and(any);
            }
        }
        out
    }

    /// Returns the schemas in an array, with their indexes.
    pub(super) fn listed(&self, loc: &Loc, keyword: &str) -> impl Iterator<Item = (Loc, usize)> + use<> {
        let (count, at) = (self.get(loc, keyword).map_or(0, |node| node.items().len()), loc.step(keyword));
        (0..count).map(move |index| (at.step(&index.to_string()), index))
    }
}
