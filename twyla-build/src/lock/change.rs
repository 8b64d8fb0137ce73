//! What is done to one place of a schema.

use serde_json::Value;

/// What was done at one place.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A keyword, a property or a subschema that wasn't there.
    Added(Value),
    /// A keyword, a property or a subschema that is gone.
    Removed(Value),
    /// Another value.
    Changed {
        /// What it was.
        old: Value,
        /// What it is.
        new: Value,
    },
    /// A value that a list of `required`, `enum`, `type` or `dependentRequired` didn't have.
    Listed(Value),
    /// A value that such a list has no more.
    Unlisted(Value),
    /// A property that had another name.
    Renamed {
        /// The name that it had.
        from: String,
        /// Whether the old name was required.
        was_required: bool,
        /// Whether the new name is.
        is_required: bool,
    },
    /// Another way of reading the same: the draft of schemas that name none, or whether `format` is a rule.
    Read {
        /// How it was read.
        old: String,
        /// How it is read.
        new: String,
    },
}

/// A change and its place in the file.
pub(super) type Found = (String, Change);

/// Returns the items of a list, or a value that stands alone.
pub(super) fn items(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { std::slice::from_ref(value) }
}
