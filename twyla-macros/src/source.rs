//! The names in a source file of the crate being compiled. A macro can't ask the compiler what a path means, so the
//! text of the crate's root shows which names the crate lacks. A name counts as declared if the text can't decide it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use syn::ext::IdentExt;
use syn::{Attribute, Ident, Item, UseTree};

/// Attributes, by their first word, that add no names to a module.
const KNOWN: &[&str] = &[
    "allow",
    "automatically_derived",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "derive",
    "doc",
    "event",
    "expect",
    "forbid",
    "inline",
    "listener",
    "macro_export",
    "macro_use",
    "must_use",
    "non_exhaustive",
    "path",
    "repr",
    "rpc",
    "test",
    "tokio",
    "tracing",
    "twyla_runtime",
    "warn",
];

/// The names in one file.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The names of modules, imports and crates in the file's own module.
    names: BTreeSet<String>,
    /// The paths in front of attributes and called macros, by the last segment: `kit::twyla` of
    /// `#[kit::twyla::listener]`.
    called: BTreeMap<String, String>,
    /// The paths in front of imported names, by the name.
    imported: BTreeMap<String, String>,
    /// Whether the file's own module may have more items: from a macro or an attribute.
    is_generated: bool,
    /// Whether the file's own module may have more names: from a macro, an attribute or a glob import.
    is_open: bool,
}

impl Source {
    /// Reads a file; `None` if it can't be read or parsed. Each file is read once.
    pub(crate) fn read(path: &Path) -> Option<Arc<Self>> {
        static READ: Mutex<BTreeMap<PathBuf, Option<Arc<Source>>>> = Mutex::new(BTreeMap::new());
        let read = || std::fs::read_to_string(path).ok().and_then(|text| Self::parse(&text)).map(Arc::new);
        let mut files = READ.lock().unwrap_or_else(PoisonError::into_inner);
        files.entry(path.to_owned()).or_insert_with(read).clone()
    }

    fn parse(text: &str) -> Option<Self> {
        let file = syn::parse_file(text).ok()?;
        let mut source = Self::default();
        source.module(&file.items, true);
        Some(source)
    }

    /// Returns whether the file's own module certainly has no module, import or crate of a name.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        !self.is_open && !self.names.contains(name)
    }

    /// Returns whether the file's own module certainly has no `extern crate` of a name.
    pub(crate) fn lacks_crate(&self, name: &str) -> bool {
        !self.is_generated && !self.names.contains(name)
    }

    /// Returns the path in front of an attribute or a macro where it is called.
    pub(crate) fn called(&self, name: &str) -> Option<&str> {
        self.called.get(name).map(String::as_str)
    }

    /// Returns the path in front of an imported name.
    pub(crate) fn imported(&self, name: &str) -> Option<&str> {
        self.imported.get(name).map(String::as_str)
    }

    fn module(&mut self, items: &[Item], is_root: bool) {
        for item in items {
            let attributes = match item {
                Item::Mod(item) => {
                    self.name(&item.ident, is_root);
                    if let Some((_, items)) = &item.content {
                        self.module(items, false);
                    }
                    &item.attrs
                }
                Item::Use(item) => {
                    self.import(&item.tree, &mut Vec::new(), is_root);
                    &item.attrs
                }
                Item::ExternCrate(item) => {
                    self.name(item.rename.as_ref().map_or(&item.ident, |(_, name)| name), is_root);
                    &item.attrs
                }
                Item::Macro(item) => {
                    self.path(&item.mac.path);
                    // a macro may add items, such as contracts, to the module that calls it
                    if !item.mac.path.is_ident("macro_rules") {
                        self.generated(is_root);
                    }
                    &item.attrs
                }
                Item::Fn(item) => &item.attrs,
                Item::Struct(item) => &item.attrs,
                Item::Const(item) => &item.attrs,
                Item::Enum(item) => &item.attrs,
                Item::Impl(item) => &item.attrs,
                Item::Static(item) => &item.attrs,
                Item::Trait(item) => &item.attrs,
                Item::Type(item) => &item.attrs,
                Item::Union(item) => &item.attrs,
                _ => {
                    self.generated(is_root);
                    continue;
                }
            };
            self.attributes(attributes, is_root);
        }
    }

    fn generated(&mut self, is_root: bool) {
        self.is_generated |= is_root;
        self.is_open |= is_root;
    }

    fn name(&mut self, name: &Ident, is_root: bool) {
        if is_root {
            self.names.insert(name.unraw().to_string());
        }
    }

    fn attributes(&mut self, attributes: &[Attribute], is_root: bool) {
        for attribute in attributes {
            self.path(attribute.path());
            let segments = &attribute.path().segments;
            let is_own =
                segments.last().is_some_and(|it| it.ident == "event" || it.ident == "listener" || it.ident == "rpc");
            if !is_own && !segments.first().is_some_and(|it| KNOWN.iter().any(|known| it.ident == known)) {
                self.generated(is_root);
            }
        }
    }

    fn path(&mut self, path: &syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        if let [before @ .., last] = &words[..]
            && !before.is_empty()
        {
            self.called.entry(last.clone()).or_insert_with(|| before.join("::"));
        }
    }

    fn import(&mut self, tree: &UseTree, before: &mut Vec<Ident>, is_root: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.clone());
                self.import(&path.tree, before, is_root);
                before.pop();
            }
            // `self` imports a module, and `imported` is only for macros
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(module) = before.last() {
                    self.name(module, is_root);
                }
            }
            UseTree::Name(name) => {
                if !before.is_empty() {
                    let path = || before.iter().map(Ident::to_string).collect::<Vec<_>>().join("::");
                    self.imported.entry(name.ident.to_string()).or_insert_with(path);
                }
                self.name(&name.ident, is_root);
            }
            UseTree::Rename(rename) => self.name(&rename.rename, is_root),
            UseTree::Glob(_) => self.is_open |= is_root,
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, is_root);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacks(text: &str) -> bool {
        Source::parse(text).unwrap().lacks("contracts")
    }

    #[test]
    fn a_root_has_the_names_of_its_modules_imports_and_crates() {
        for text in [
            "mod contracts { twyla_runtime::include_contracts!(); }",
            "mod contracts;",
            "#[cfg(feature = \"a\")] mod contracts;",
            "mod r#contracts;",
            "use ::platform_contracts as contracts;",
            "use ::contracts;",
            "use a::{b, contracts::{self, c}};",
            "pub(crate) use a::contracts;",
            "extern crate platform_contracts as contracts;",
        ] {
            assert!(!lacks(text), "{text}");
        }
        for text in
            ["use contracts::api::Placed;", "mod a { mod contracts {} }", "fn contracts() {}", "use contracts as a;"]
        {
            assert!(lacks(text), "{text}");
        }
    }

    #[test]
    fn what_the_text_cannot_decide_counts_as_there() {
        for text in [
            "use kit::*;",
            "kit::service!();",
            "#[kit::service] mod app {}",
            "include!(\"a.rs\");",
            "#[cfg_attr(a, b)] fn c() {}",
        ] {
            assert!(!lacks(text), "{text}");
        }
        assert!(lacks(
            "#[tokio::main] async fn main() {} #[derive(Debug)] struct A; macro_rules! a { () => {} } #[kit::twyla::listener(\"a.b\")] async fn c() {}"
        ));
    }

    #[test]
    fn finds_the_path_in_front_of_a_macro() {
        let called = |text: &str, name: &str| Source::parse(text).unwrap().called(name).map(str::to_owned);
        let imported = |text: &str, name: &str| Source::parse(text).unwrap().imported(name).map(str::to_owned);
        assert_eq!(called("#[bus::listener(\"a.b\")] async fn a() {}", "listener"), Some("bus".into()));
        assert_eq!(called("mod contracts { bus::include_contracts!(); }", "include_contracts"), Some("bus".into()));
        assert_eq!(called("include_contracts!();", "include_contracts"), None);
        assert_eq!(imported("use kit::twyla::{Bus, listener};", "listener"), Some("kit::twyla".into()));
        assert_eq!(imported("use crossterm::event::{self, KeyCode};", "event"), None);
    }
}
