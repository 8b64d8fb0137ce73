//! The names that pages link to.

use std::collections::BTreeSet;

use crate::commands::docs::site::{Kind, Site};

/// Returns the names of the events and methods that have a page; the flag is `true` for a method.
pub(super) fn named(site: &Site) -> BTreeSet<(bool, &str)> {
    site.subjects.iter().map(|it| (it.kind == Kind::Rpc, it.name.as_str())).collect()
}
