//! Properties whose `null` is read as absence: an `Option` instead of a `Nullable`.

use std::collections::HashSet;

use super::shape::{Shape, TypeId};
use super::types::{Body, Type};
use crate::schema::load::Json;
use crate::schema::schemas::Schemas;

/// Returns the types with a property for which `null` may be read as absence.
pub(super) fn read_as_absence(types: &[Type]) -> HashSet<TypeId> {
    let has = |type_: &Type| match &type_.body {
        Body::Struct { fields, .. } => fields.iter().any(|field| field.null_is_absent),
        _ => false,
    };
    types.iter().enumerate().filter(|(_, type_)| has(type_)).map(|(id, _)| id).collect()
}

/// Makes an `Option` of each optional property for which `null` means the same as absence. It stays a `Nullable` if a check
/// or a rule tree of the property could distinguish the two.
pub(super) fn settle(schemas: &Schemas, types: &mut [Type]) {
    for type_ in types {
        let looked_at = type_.looked_at || !type_.trees.is_empty();
        let Body::Struct { fields, .. } = &mut type_.body else { continue };
        for field in fields.iter_mut().filter(|field| field.null_is_absent) {
            let ruled = looked_at || !field.held.trees.is_empty() || !field.held.checks.is_empty();
            field.null_is_absent = false;
            let Shape::Nullable(inner) = &mut field.held.shape else { continue };
            if field.required || ruled {
                continue;
            }
            field.held = (**inner).clone();
            field.null_is_absent = true;
            field.docs.notes.push("`null` is read as absence, and never written.".to_owned());
            let default = field.default.as_ref().and_then(|default| schemas.node(&default.at)?.get("default"));
            if default.is_some_and(|node| matches!(node.json, Json::Null)) {
                field.default = None;
            }
        }
    }
}
