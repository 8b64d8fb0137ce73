//! A change of one place in a schema.

use serde_json::Value;

/// The change of one place.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An added keyword, property or subschema.
    Added(Value),
    /// A removed keyword, property or subschema.
    Removed(Value),
    /// A changed value.
    Changed {
        /// The old value.
        old: Value,
        /// The new value.
        new: Value,
    },
    /// A value added to a list of `required`, `enum`, `type` or `dependentRequired`.
    Listed(Value),
    /// A value removed from such a list.
    Unlisted(Value),
    /// A renamed property.
    Renamed {
        /// The old name.
        from: String,
        /// Whether the old name was required.
        was_required: bool,
        /// Whether the new name is required.
        is_required: bool,
    },
    /// A change of how the schemas are read: the default draft, or whether `format` is a rule.
    Read {
        /// The old setting.
        old: String,
        /// The new setting.
        new: String,
    },
}

/// A change and its place in the file.
pub(super) type PlacedChange = (String, Change);

/// Returns the items of a list, or any other value as the only item.
pub(super) fn items(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { std::slice::from_ref(value) }
}
