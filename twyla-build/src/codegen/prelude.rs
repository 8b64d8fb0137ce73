//! The names of Rust's prelude, which generated code uses without a path.

use std::collections::HashSet;

/// The names, each with the path before it. The path of a variant begins at its enum, whose own path is removed first.
const NAMES: [(&str, &[&str]); 12] = [
    ("Option", &["::", "std", "::", "option", "::"]),
    ("Some", &["Option", "::"]),
    ("None", &["Option", "::"]),
    ("Result", &["::", "std", "::", "result", "::"]),
    ("Ok", &["Result", "::"]),
    ("Err", &["Result", "::"]),
    ("String", &["::", "std", "::", "string", "::"]),
    ("Vec", &["::", "std", "::", "vec", "::"]),
    ("Box", &["::", "std", "::", "boxed", "::"]),
    ("Into", &["::", "std", "::", "convert", "::"]),
    ("From", &["::", "std", "::", "convert", "::"]),
    ("Default", &["::", "std", "::", "default", "::"]),
];

/// The names of the prelude that no generated type shadows.
#[derive(Debug, Default)]
pub(crate) struct Prelude(Vec<(&'static str, &'static [&'static str])>);

impl Prelude {
    /// Returns the prelude in a module that contains these items.
    pub(crate) fn beside(items: &HashSet<&str>) -> Self {
        Self(NAMES.into_iter().filter(|(name, _)| !items.contains(name)).collect())
    }

    /// Returns the path that can be omitted before a name, as tokens; `None` if the name needs its path.
    pub(crate) fn path(&self, name: &str) -> Option<&'static [&'static str]> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, path)| *path)
    }
}
