//! Checks of members and items whose types implement [`Validate`], called by generated code.

use super::contract::Validate;
use crate::path::Path;
use crate::violation::Violations;

/// Checks a member.
#[inline]
pub fn nested<T: Validate>(key: &str, value: &T, at: &Path<'_>, out: &mut Violations) {
    value.validate(&at.key(key), out);
}

/// Checks a member, unless it is absent.
#[inline]
pub fn nested_optional<T: Validate>(key: &str, value: &Option<T>, at: &Path<'_>, out: &mut Violations) {
    if let Some(value) = value {
        value.validate(&at.key(key), out);
    }
}

/// Checks each item.
#[inline]
pub fn nested_items<T: Validate>(items: &[T], at: &Path<'_>, out: &mut Violations) {
    for (index, item) in items.iter().enumerate() {
        item.validate(&at.index(index), out);
    }
}
