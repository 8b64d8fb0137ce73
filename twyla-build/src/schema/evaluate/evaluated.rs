//! The items and members of a value that a schema's rules have evaluated, for `unevaluatedItems` and
//! `unevaluatedProperties`.

use std::collections::BTreeSet;

/// The items and members of a value that a schema has evaluated.
#[derive(Clone, Debug, Default)]
pub(super) struct Evaluated {
    pub(super) all: bool,
    pub(super) names: BTreeSet<String>,
    pub(super) indexes: BTreeSet<usize>,
}

impl Evaluated {
    pub(super) fn add(&mut self, other: Self) {
        self.all |= other.all;
        self.names.extend(other.names);
        self.indexes.extend(other.indexes);
    }
}
