//! The texts of errors for members and items that a schema doesn't declare and refuses. `twyla-codec` has the same
//! texts.

use super::words;

/// Describes a member that `additionalProperties` refuses.
pub(super) fn undeclared(name: &str) -> String {
    format!("has the member {}, which the schema doesn't declare and doesn't allow", words::text(name))
}

/// Describes a member that `unevaluatedProperties` refuses.
pub(super) fn unevaluated(name: &str) -> String {
    format!("has the member {}, which no schema declares, and such members are not allowed", words::text(name))
}

/// Describes an item that `unevaluatedItems` refuses.
pub(super) fn unevaluated_item(index: usize) -> String {
    format!("has an item {index} that no schema declares, and such items are not allowed")
}
