//! The names that pages link.

use std::collections::BTreeSet;

use crate::commands::docs::site::{Kind, Site};

/// The names that have a page: whether it is a method's, and the name.
pub(super) fn named(site: &Site) -> BTreeSet<(bool, &str)> {
    site.subjects.iter().map(|it| (it.kind == Kind::Rpc, it.name.as_str())).collect()
}
