//! The formula of equality with a constant, which excludes values that were found already.

use serde_json::Value;

use super::Solver;
use crate::compare::formula::{Atom, Lit};
use crate::decimal::Decimal;
use crate::json_type::{JsonType, JsonTypes};

impl Solver<'_> {
    /// Returns the formula that every value except this one satisfies; `None` for a number that can't be read.
    pub(crate) fn other_than(&mut self, value: &Value) -> Option<Lit> {
        self.equal_to(value).map(|equal| !equal)
    }

    /// Returns the formula that only this value satisfies; `None` for a number that can't be read.
    pub(super) fn equal_to(&mut self, value: &Value) -> Option<Lit> {
        let (type_, mut parts) = match value {
            Value::Null => (JsonType::Null, Vec::new()),
            Value::Bool(value) => (JsonType::Boolean, vec![self.formulas.atom(Atom::Is(*value))]),
            Value::Number(number) => {
                let number = Decimal::parse(&number.to_string())?;
                (JsonType::Number, vec![self.formulas.atom(Atom::NumberIn([number].into()))])
            }
            Value::String(text) => (JsonType::String, vec![self.word(text)]),
            Value::Array(items) => {
                let count = items.len() as u64;
                let mut parts =
                    vec![self.formulas.atom(Atom::MinItems(count)), self.formulas.atom(Atom::MaxItems(count))];
                for (index, item) in (0..).zip(items) {
                    let lit = self.equal_to(item)?;
                    parts.push(self.formulas.atom(Atom::Item { index, lit }));
                }
                (JsonType::Array, parts)
            }
            Value::Object(members) => {
                let mut parts = vec![self.formulas.atom(Atom::MaxMembers(members.len() as u64))];
                for (key, value) in members {
                    let (name, lit) = (self.formulas.name(key), self.equal_to(value)?);
                    parts.push(self.formulas.atom(Atom::Required(name.clone())));
                    parts.push(self.formulas.atom(Atom::Member { name, lit }));
                }
                (JsonType::Object, parts)
            }
        };
        parts.push(self.formulas.types(JsonTypes::of(type_)));
        Some(self.formulas.all(parts))
    }

    /// Returns the formula: the value is this string.
    pub(super) fn word(&mut self, text: &str) -> Lit {
        let name = self.formulas.name(text);
        self.formulas.atom(Atom::StringIn([name].into()))
    }
}
