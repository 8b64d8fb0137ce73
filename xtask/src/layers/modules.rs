//! The modules of a crate: the file of each, what it defines, and what it re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, UseTree};

use super::error::Error;

/// A module's number.
pub(super) type Id = usize;

/// The modules of a crate; the first is its root.
#[derive(Default)]
pub(super) struct Modules(Vec<Module>);

/// A module: a file, or a block within one.
pub(super) struct Module {
    file: PathBuf,
    parent: Option<Id>,
    children: BTreeMap<String, Id>,
    /// The path of each imported name, by the name in this module.
    uses: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    pub(super) items: Vec<Item>,
}

/// Reads a crate from its root.
pub(super) fn read(root: &Path) -> Result<Modules, Error> {
    let mut modules = Modules::default();
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    let items = parse(root)?;
    modules.add(root.to_owned(), &folder, None, items)?;
    Ok(modules)
}

fn parse(path: &Path) -> Result<Vec<Item>, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Read { path: path.to_owned(), error })?;
    let file = syn::parse_file(&text).map_err(|error| Error::Syntax { path: path.to_owned(), error })?;
    Ok(file.items)
}

/// Returns whether an item exists only in tests.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is = |name| attribute.path().is_ident(name);
        let tokens = || attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        is("test") || (is("cfg") && tokens().split(|c: char| !c.is_alphanumeric()).any(|word| word == "test"))
    })
}

impl Modules {
    /// Adds a module whose submodules are in `folder`.
    fn add(&mut self, file: PathBuf, folder: &Path, parent: Option<Id>, items: Vec<Item>) -> Result<Id, Error> {
        let id = self.0.len();
        self.0.push(Module {
            file: file.clone(),
            parent,
            children: BTreeMap::new(),
            uses: BTreeMap::new(),
            globs: Vec::new(),
            items: Vec::new(),
        });
        let mut own = Vec::new();
        for item in items {
            match item {
                Item::Mod(module) if is_test(&module.attrs) => {}
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let below = folder.join(&name);
                    let child = match module.content {
                        Some((_, items)) => self.add(file.clone(), &below, Some(id), items)?,
                        None => {
                            let flat = folder.join(format!("{name}.rs"));
                            let path = if flat.is_file() { flat } else { below.join("mod.rs") };
                            let items = parse(&path)?;
                            self.add(path, &below, Some(id), items)?
                        }
                    };
                    self.0[id].children.insert(name, child);
                }
                Item::Use(item) if !is_test(&item.attrs) => {
                    let mut path = Vec::new();
                    self.0[id].import(&item.tree, &mut path);
                    own.push(Item::Use(item));
                }
                item => own.push(item),
            }
        }
        self.0[id].items = own;
        Ok(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Id, &Module)> {
        self.0.iter().enumerate()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|module| &*module.file)
    }

    pub(super) fn file(&self, id: Id) -> &Path {
        &self.0[id].file
    }

    /// Returns the file that defines the item of a path, with the item's name; nothing if the path leads out of the crate.
    pub(super) fn resolve(&self, from: Id, path: &[String]) -> Vec<(&Path, String)> {
        let mut seen = BTreeSet::new();
        self.follow(from, path, true, &mut seen).map(|(id, name)| (self.file(id), name)).into_iter().collect()
    }

    /// Returns the module of a definition, and its name.
    fn follow(
        &self,
        from: Id,
        path: &[String],
        first: bool,
        seen: &mut BTreeSet<(Id, Vec<String>)>,
    ) -> Option<(Id, String)> {
        if !seen.insert((from, path.to_vec())) {
            return None;
        }
        let module = &self.0[from];
        let (head, rest) = path.split_first()?;
        match head.as_str() {
            "crate" if first => return self.follow(0, rest, false, seen),
            "self" if first => return self.follow(from, rest, false, seen),
            "super" => return self.follow(module.parent?, rest, first, seen),
            _ => {}
        }
        if let Some(&child) = module.children.get(head) {
            // the import of a module itself doesn't count: only the items that are used through it do
            return if rest.is_empty() { None } else { self.follow(child, rest, false, seen) };
        }
        if let Some(target) = module.uses.get(head) {
            let path = [&target[..], rest].concat();
            // a path that begins with the imported name itself leads to another crate
            return if target.first() == Some(head) { None } else { self.follow(from, &path, true, seen) };
        }
        if module.defines(head) {
            return Some((from, head.clone()));
        }
        // skip a glob whose path begins with this name: there it is the name of another crate, or of a module found above
        let mut globs = module.globs.iter().filter(|glob| glob.first() != Some(head));
        globs.find_map(|glob| self.follow(from, &[&glob[..], path].concat(), true, seen))
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.import(&tree.tree, path);
                path.pop();
            }
            UseTree::Name(tree) if tree.ident == "self" => {
                if let Some(name) = path.last() {
                    self.uses.insert(name.clone(), path.clone());
                }
            }
            UseTree::Name(tree) => {
                let name = tree.ident.to_string();
                self.uses.insert(name.clone(), [&path[..], &[name]].concat());
            }
            UseTree::Rename(tree) => {
                let name = tree.ident.to_string();
                let target = if name == "self" { path.clone() } else { [&path[..], &[name]].concat() };
                self.uses.insert(tree.rename.to_string(), target);
            }
            UseTree::Glob(_) => self.globs.push(path.clone()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, path)),
        }
    }

    /// Returns whether an item of this name is defined here.
    fn defines(&self, name: &str) -> bool {
        self.items.iter().any(|item| match item {
            Item::Const(it) => it.ident == name,
            Item::Enum(it) => it.ident == name,
            Item::Fn(it) => it.sig.ident == name,
            Item::Macro(it) => it.ident.as_ref().is_some_and(|ident| ident == name),
            Item::Static(it) => it.ident == name,
            Item::Struct(it) => it.ident == name,
            Item::Trait(it) => it.ident == name,
            Item::TraitAlias(it) => it.ident == name,
            Item::Type(it) => it.ident == name,
            Item::Union(it) => it.ident == name,
            _ => false,
        })
    }
}
