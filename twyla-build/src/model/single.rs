//! Reads combinators of one schema and null, and combinators of a single schema.

use super::reader::SchemaReader;
use super::shape::{Shape, ValueType};
use crate::schema::load::Node;
use crate::schema::schemas::Loc;

impl SchemaReader<'_> {
    /// Reads `anyOf` or `oneOf` of one schema and null.
    pub(super) fn or_null(&mut self, loc: &Loc) -> Option<ValueType> {
        let mut rules = self.rules_of(loc);
        let (Some(keyword @ ("anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { return None };
        let [first, second] = self.get(loc, keyword)?.items() else { return None };
        let null =
            |node: &Node| matches!(node.members(), [only] if only.key == "type" && only.value.str() == Some("null"));
        let index = match (null(first), null(second)) {
            (true, false) => "1",
            (false, true) => "0",
            _ => return None,
        };
        let held = match self.held(&loc.step(keyword).step(index)) {
            // a schema of any value or of null decides itself whether null is valid: its type isn't replaced
            ValueType { shape: Shape::Replaced(replaced), .. }
                if matches!(replaced.held.shape, Shape::Any | Shape::Null) =>
            {
                *replaced.held
            }
            held => held,
        };
        Some(match held.shape {
            Shape::Any | Shape::Null | Shape::Nullable(_) if keyword == "anyOf" && held.trees.is_empty() => held,
            Shape::Any | Shape::Null | Shape::Nullable(_) => {
                self.leave(loc, keyword, format!("`{keyword}` of schemas that both may allow null"));
                ValueType { trees: Vec::new(), ..held }
            }
            _ => ValueType::plain(Shape::Nullable(Box::new(held))),
        })
    }

    /// Reads `allOf`, `anyOf` or `oneOf` of one schema without siblings.
    pub(super) fn only_one(&mut self, loc: &Loc) -> Option<ValueType> {
        let mut rules = self.rules_of(loc);
        let (Some(keyword @ ("allOf" | "anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { return None };
        let [_] = self.get(loc, keyword)?.items() else { return None };
        Some(self.held(&loc.step(keyword).step("0")))
    }
}
