//! The names in a source file of the crate being compiled. A macro can't ask the compiler what a path means, so what is missing is
//! found in the text; whatever the text can't decide counts as there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree};

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

/// A file.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The names of modules, imports and crates in the file's own module.
    names: BTreeSet<String>,
    /// The functions and structs of the file, in any of its modules.
    items: BTreeSet<String>,
    /// Each word that may be a name's declaration.
    declared: BTreeSet<String>,
    /// The paths in front of the names that are imported or called: `kit::twyla` of `kit::twyla::listener`.
    before: BTreeMap<String, String>,
    /// Whether the file's own module may have more items: from a macro or an attribute.
    is_generated: bool,
    /// Whether it may have more names: from a glob, too.
    is_open: bool,
    /// Whether any of its modules may.
    is_open_within: bool,
}

impl Source {
    /// Reads a file; `None` if it can't be read. Each file is read once.
    pub(crate) fn read(path: &Path) -> Option<Arc<Self>> {
        static READ: Mutex<BTreeMap<PathBuf, Option<Arc<Source>>>> = Mutex::new(BTreeMap::new());
        let read = || std::fs::read_to_string(path).ok().and_then(|text| Self::parse(&text)).map(Arc::new);
        let mut files = READ.lock().unwrap_or_else(PoisonError::into_inner);
        files.entry(path.to_owned()).or_insert_with(read).clone()
    }

    fn parse(text: &str) -> Option<Self> {
        let file = syn::parse_file(text).ok()?;
        let mut source = Self::default();
        source.declarations(file.to_token_stream());
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

    /// Returns whether a name is certainly declared nowhere in the file, which has the item `beside` in one of its modules.
    pub(crate) fn lacks_beside(&self, name: &str, beside: &str) -> bool {
        !self.is_open_within && self.items.contains(beside) && !self.declared.contains(name)
    }

    /// Returns the path in front of a name that is imported or called.
    pub(crate) fn before(&self, name: &str) -> Option<&str> {
        self.before.get(name).map(String::as_str)
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
                    // the contracts are in the module that calls it
                    let is_called = |name| item.mac.path.segments.last().is_some_and(|it| it.ident == name);
                    if !is_called("macro_rules") && (is_root || !is_called("include_contracts")) {
                        self.generated(is_root);
                    }
                    &item.attrs
                }
                Item::Fn(item) => {
                    self.items.insert(item.sig.ident.to_string());
                    &item.attrs
                }
                Item::Struct(item) => {
                    self.items.insert(item.ident.to_string());
                    &item.attrs
                }
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
        self.open(is_root);
    }

    fn open(&mut self, is_root: bool) {
        self.is_open |= is_root;
        self.is_open_within = true;
    }

    fn name(&mut self, name: &syn::Ident, is_root: bool) {
        if is_root {
            self.names.insert(name.to_string());
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
            self.before.entry(last.clone()).or_insert_with(|| before.join("::"));
        }
    }

    fn import(&mut self, tree: &UseTree, before: &mut Vec<String>, is_root: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, is_root);
                before.pop();
            }
            UseTree::Name(name) => {
                let name = match name.ident.to_string() {
                    own if own == "self" => before.last().cloned().unwrap_or_default(),
                    name => name,
                };
                if !before.is_empty() {
                    self.before.entry(name.clone()).or_insert_with(|| before.join("::"));
                }
                if is_root {
                    self.names.insert(name);
                }
            }
            UseTree::Rename(rename) => self.name(&rename.rename, is_root),
            // the names of a module above are in this file too
            UseTree::Glob(_) if !is_root && before.iter().all(|it| it == "super") => {}
            UseTree::Glob(_) => self.open(is_root),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, is_root);
                }
            }
        }
    }

    /// Collects the words of tokens that may be declarations: those that don't begin a path and aren't a value after `=`.
    fn declarations(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        let mut is_value = false;
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Ident(word) => {
                    let begins_path = matches!(tokens.peek(), Some(TokenTree::Punct(it)) if it.as_char() == ':' && it.spacing() == proc_macro2::Spacing::Joint);
                    if !is_value && !begins_path {
                        self.declared.insert(word.to_string());
                    }
                }
                TokenTree::Group(group) => self.declarations(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            is_value = matches!(&token, TokenTree::Punct(it) if it.as_char() == '=');
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
    fn a_name_that_is_only_used_is_declared_nowhere() {
        let lacks = |text: &str| Source::parse(text).unwrap().lacks_beside("platform", "answer");
        let used = "use a::B; #[listener(\"a.b\", contracts = platform)] async fn answer(_: platform::B) {} mod t { use super::*; }";
        assert!(lacks(used));
        for more in ["use a as platform;", "mod m { mod platform {} }", "use a::*;", "use {platform};", "kit::make!();"]
        {
            assert!(!lacks(&format!("{used} {more}")), "{more}");
        }
        assert!(!lacks("fn main() { #[listener(\"a.b\", contracts = platform)] async fn answer() {} }"));
    }

    #[test]
    fn finds_the_path_in_front_of_a_macro() {
        let before = |text: &str, name: &str| Source::parse(text).unwrap().before(name).map(str::to_owned);
        assert_eq!(before("use kit::twyla::{Bus, listener};", "listener"), Some("kit::twyla".into()));
        assert_eq!(before("#[bus::listener(\"a.b\")] async fn a() {}", "listener"), Some("bus".into()));
        assert_eq!(before("mod contracts { bus::include_contracts!(); }", "include_contracts"), Some("bus".into()));
        assert_eq!(before("include_contracts!();", "include_contracts"), None);
    }
}
