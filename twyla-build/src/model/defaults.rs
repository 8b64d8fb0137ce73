//! What an absent property means: its `default`, where that is certainly a value of the property.

use std::cell::LazyCell;

use twyla_formats::{net, time};

use super::{Accessor, Body, Field, Others, Real, Shape, Type};
use crate::compare::{Evaluator, Kept};
use crate::load::{Json, Node};
use crate::markdown::code;
use crate::names;
use crate::number::Number;
use crate::resolve::{Loc, Schemas};

/// Where the `default` of a property stands.
#[derive(Clone, Debug)]
pub(crate) struct SchemaDefault {
    /// The schema that has it: the property's own, or one that this refers to.
    pub(crate) at: Loc,
    /// The schemas that hold for the property's values; none where that depends on the way there.
    pub(crate) schemas: Vec<Loc>,
}

/// Gives an accessor to each field whose default keeps its schemas and is a value of the field's type, and tells every default in
/// the field's docs.
pub(super) fn settle(schemas: &Schemas, types: &mut [Type]) {
    let kept = LazyCell::new(|| Kept::new(schemas));
    for id in 0..types.len() {
        let Some(Body::Struct { fields, .. }) = types.get(id).map(|type_| &type_.body) else { continue };
        let certain = fields.iter().map(|field| {
            let node = schemas.node(&field.default.as_ref()?.at)?.get("default")?;
            Some((node, is_certain(schemas, &kept, types, field, node)))
        });
        let certain: Vec<Option<(&Node, bool)>> = certain.collect();
        let with: Vec<bool> = certain.iter().map(|it| it.is_some_and(|(_, certain)| certain)).collect();
        let mut accessors = names::accessors(fields.iter().map(|field| field.name.as_str()).zip(with)).into_iter();
        let Some(Body::Struct { fields, .. }) = types.get_mut(id).map(|type_| &mut type_.body) else { continue };
        for (field, default) in fields.iter_mut().zip(certain) {
            let Some((node, certain)) = default else { continue };
            let name = if certain { accessors.next() } else { None };
            let shown = shown(node);
            field.docs.notes.push(match &name {
                Some(name) => format!("The default is {shown}, which `{name}()` returns where the property is absent."),
                None => format!("The default is {shown}."),
            });
            field.accessor = name.map(|name| Accessor { name, value: node.clone() });
        }
    }
}

/// A default as docs show it, shortened.
pub(crate) fn shown(node: &Node) -> String {
    const MOST: usize = 200;
    let text = node.text();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => code(&format!("{}…", text.get(..end).unwrap_or_default())),
        None => code(&text),
    }
}

fn is_certain(schemas: &Schemas, kept: &Kept, types: &[Type], field: &Field, node: &Node) -> bool {
    let Some(default) = &field.default else { return false };
    let (evaluator, value) = (Evaluator::new(schemas, kept), node.value());
    // there is nothing to tell of a property that is only ever null
    field.held.shape != Shape::Null
        && !default.schemas.is_empty()
        && is_held(types, &field.held.shape, node)
        && default.schemas.iter().all(|loc| evaluator.is_valid(&value, loc) == Ok(true))
}

/// Whether the type of a shape reads such a value, apart from the rules that its schema has beside the type.
fn is_held(types: &[Type], shape: &Shape, node: &Node) -> bool {
    match (shape, &node.json) {
        (Shape::Nullable(_), Json::Null) => true,
        (Shape::Nullable(inner), _) => is_held(types, &inner.shape, node),
        (Shape::Any, _) => is_any(node),
        (Shape::Null, Json::Null) | (Shape::Boolean, Json::Bool(_)) | (Shape::String, Json::String(_)) => true,
        (Shape::Integer { unsigned, .. }, Json::Number(text)) => {
            Number::new(text).whole().is_some_and(|value| match unsigned {
                true => u64::try_from(value).is_ok(),
                false => i64::try_from(value).is_ok(),
            })
        }
        (Shape::Number, Json::Number(text)) => Number::new(text).is_float(),
        (Shape::Real(real), Json::String(text)) => match real {
            Real::Date => time::date(text.as_bytes()).is_some(),
            Real::DateTime => time::date_time(text.as_bytes()).is_some(),
            Real::Uuid => net::uuid(text.as_bytes()).is_some(),
            Real::Ipv4 => net::ipv4(text.as_bytes()).is_some(),
            Real::Ipv6 => net::ipv6(text).is_some(),
        },
        (Shape::Array(inner), Json::Array(items)) => items.iter().all(|item| is_held(types, &inner.shape, item)),
        (Shape::Map(inner), Json::Object(members)) => {
            members.iter().all(|member| is_held(types, &inner.shape, &member.value))
        }
        (Shape::Named(id), json) => match (types.get(*id).map(|type_| &type_.body), json) {
            (Some(Body::Enum { words, .. }), Json::String(text)) => words.contains(text),
            (Some(Body::Map(inner)), _) => is_held(types, &inner.shape, node),
            (Some(Body::Union { tag, variants }), Json::Object(_)) => {
                let word = node.get(tag).and_then(Node::str);
                let variant = variants.iter().find(|variant| variant.words.iter().any(|known| Some(&**known) == word));
                variant.is_some_and(|variant| is_held(types, &variant.held.shape, node))
            }
            (Some(Body::Struct { fields, others }), Json::Object(members)) => {
                let is_there = |field: &Field| match node.get(&field.wire) {
                    Some(value) => is_held(types, &field.held.shape, value),
                    None => !field.required,
                };
                let mut more = members.iter().filter(|member| fields.iter().all(|field| field.wire != member.key));
                fields.iter().all(is_there)
                    && match others {
                        Others::Ignored => true,
                        Others::Refused => more.next().is_none(),
                        Others::Kept { held, .. } => more.all(|member| is_held(types, &held.shape, &member.value)),
                    }
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether a value of any type loses no digit.
fn is_any(node: &Node) -> bool {
    match &node.json {
        Json::Null | Json::Bool(_) | Json::String(_) => true,
        Json::Number(text) => {
            text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() || Number::new(text).is_float()
        }
        Json::Array(items) => items.iter().all(is_any),
        Json::Object(members) => members.iter().all(|member| is_any(&member.value)),
    }
}
