//! `x-null-is-absent`: the properties for which `null` means the same as absence.

use super::names;
use super::type_names::{self, TypeName};
use super::wildcard;
use crate::schema::load::{Json, Node, steps};
use crate::schema::schemas::{Loc, Schemas};

/// The keyword: an annotation that is `true` in the schema of a property for which `null` means absence.
pub(crate) const KEYWORD: &str = "x-null-is-absent";

/// Returns whether `null` means the same as absence for a property: its schema has the keyword, or a pattern of the
/// settings matches the property.
pub(crate) fn is_absent(schemas: &Schemas, property: &Loc) -> bool {
    let says = |node: &Node| node.get(KEYWORD).is_some_and(|node| matches!(node.json, Json::Bool(true)));
    schemas.node(property).is_some_and(says)
        || !schemas.null_is_absent.is_empty()
            && path(schemas, property)
                .is_some_and(|path| schemas.null_is_absent.iter().any(|pattern| matches(pattern, &path)))
}

/// Returns the patterns that match no property.
pub(crate) fn unmatched(schemas: &Schemas) -> Vec<String> {
    let mut open = schemas.null_is_absent.clone();
    for loc in schemas.infos.keys() {
        if open.is_empty() {
            break;
        }
        if let Some(path) = path(schemas, loc) {
            open.retain(|pattern| !matches(pattern, &path));
        }
    }
    open
}

/// Returns the path of a property in Rust: `shop::OrderPlaced.note`; `None` for other schemas.
fn path(schemas: &Schemas, property: &Loc) -> Option<String> {
    let (owner, _) = property.pointer.rsplit_once('/')?;
    let owner = Loc { file: property.file, pointer: owner.strip_suffix("/properties")?.to_owned() };
    let field = names::field(&steps(&property.pointer).last()?);
    let TypeName { module, name, .. } = type_names::at(schemas, &owner);
    Some(module.map_or_else(|| format!("{name}.{field}"), |module| format!("{module}::{name}.{field}")))
}

/// Returns whether a pattern names a property, its type, or a module around it. `*` stands for any text.
fn matches(pattern: &str, path: &str) -> bool {
    let type_ = path.split_once('.').map_or(path, |(type_, _)| type_);
    let is_module = type_.strip_prefix(pattern).is_some_and(|rest| rest.starts_with("::"));
    is_module || wildcard::matches(pattern, type_) || wildcard::matches(pattern, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_a_property_a_type_or_a_module() {
        for pattern in ["*", "shop", "shop::Order", "shop::*", "*Order", "shop::Order.note", "*.note", "s*p::O*.n*"] {
            assert!(matches(pattern, "shop::Order.note"), "{pattern}");
        }
        for pattern in ["", "sho", "shop::Ord", "shop::Order.no", "*.notes", "Order", "bot", "shop::Order.note*x"] {
            assert!(!matches(pattern, "shop::Order.note"), "{pattern}");
        }
        assert!(
            matches("rpc::booking", "rpc::booking::FindRequest.at") && matches("rpc", "rpc::booking::FindRequest.at")
        );
    }
}
