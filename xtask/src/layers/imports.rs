//! The paths that a module's code names.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ItemUse, Macro, Path, UseTree};

use super::modules::{Id, Modules, is_test};

/// Returns each path, with the module that names it.
pub(super) fn all(modules: &Modules) -> Vec<(Id, Vec<String>)> {
    let mut out = Vec::new();
    for (id, module) in modules.all() {
        let mut paths = Paths(Vec::new());
        module.items.iter().for_each(|item| paths.visit_item(item));
        out.extend(paths.0.into_iter().map(|path| (id, path)));
    }
    out
}

struct Paths(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        imported(&item.tree, &mut Vec::new(), &mut self.0);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        // `::a` is another crate
        if path.leading_colon.is_none() {
            self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    /// Skips the arguments of `quote!`, which are code of other crates.
    fn visit_macro(&mut self, macro_: &'ast Macro) {
        self.visit_path(&macro_.path);
        if !macro_.path.segments.last().is_some_and(|name| name.ident.to_string().starts_with("quote")) {
            in_tokens(macro_.tokens.clone(), &mut self.0);
        }
    }
}

fn imported(tree: &UseTree, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            imported(&tree.tree, path, out);
            path.pop();
        }
        UseTree::Name(tree) if tree.ident == "self" => out.push(path.clone()),
        UseTree::Name(tree) => out.push([&path[..], &[tree.ident.to_string()]].concat()),
        UseTree::Rename(tree) => out.push([&path[..], &[tree.ident.to_string()]].concat()),
        // a name from a glob import counts where the name is used
        UseTree::Glob(_) => {}
        UseTree::Group(group) => group.items.iter().for_each(|tree| imported(tree, path, out)),
    }
}

/// Returns the paths in a macro's arguments: names with `::` between them.
fn in_tokens(tokens: TokenStream, out: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    out.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                    path.clear();
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                out.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                colons = 0;
                in_tokens(group.stream(), out);
            }
            _ => {
                out.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                colons = 0;
            }
        }
    }
    out.extend((!path.is_empty()).then_some(path));
}
