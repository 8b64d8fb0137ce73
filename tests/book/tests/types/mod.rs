//! The types in a text of Rust, in a form that leaves out attributes and the modules of types.

use quote::ToTokens;
use syn::visit_mut::{VisitMut, visit_path_mut};
use syn::{Attribute, Item, Path};

/// The name and the text of each struct and enum, in modules too.
pub(crate) fn all(code: &str) -> Vec<(String, String)> {
    let file = syn::parse_file(code).unwrap_or_else(|error| panic!("{error} in\n{code}"));
    let mut out = Vec::new();
    add(file.items, &mut out);
    out
}

fn add(items: Vec<Item>, out: &mut Vec<(String, String)>) {
    for mut item in items {
        Plain.visit_item_mut(&mut item);
        match item {
            Item::Mod(module) => add(module.content.map(|(_, items)| items).unwrap_or_default(), out),
            Item::Struct(it) => out.push((it.ident.to_string(), it.to_token_stream().to_string().replace(", }", " }"))),
            Item::Enum(it) => out.push((it.ident.to_string(), it.to_token_stream().to_string().replace(", }", " }"))),
            _ => {}
        }
    }
}

/// Leaves out attributes and the modules in paths.
struct Plain;

impl VisitMut for Plain {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        attributes.clear();
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        path.leading_colon = None;
        if let Some(last) = path.segments.pop() {
            path.segments = [last].into_iter().collect();
        }
        visit_path_mut(self, path);
    }
}
