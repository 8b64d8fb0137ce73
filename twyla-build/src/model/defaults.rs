//! What an absent property means: its `default`, where that is certainly a value of the property.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use twyla_formats::{net, time};

use super::types::{Accessor, Body, Field, Others, Real, SchemaDefault, Shape, Type};
use crate::markdown::code;
use crate::number::Number;
use crate::schema::evaluate::{Evaluator, Kept};
use crate::schema::load::{Json, Node};
use crate::schema::names;
use crate::schema::schemas::{Loc, Schemas};

/// The limit of the bytes that a default has as text, in all properties that refer to it together. One beyond it is as if it
/// weren't there.
const MOST_TEXT: usize = 1 << 20;

/// The limit of schemas that are held to defaults: those behind it have no accessor.
const MOST_STEPS: u64 = 20_000_000;

/// The `default` itself.
fn node_of<'a>(default: &SchemaDefault, schemas: &'a Schemas) -> Option<&'a Node> {
    schemas.node(&default.at)?.get("default")
}

/// Gives an accessor to each field whose default keeps its schemas and is a value of the field's type, and tells every default in
/// the field's docs.
pub(super) fn settle(schemas: &Schemas, types: &mut [Type]) {
    let kept = LazyCell::new(|| Kept::new(schemas));
    let too_large = too_large(schemas, types);
    for id in 0..types.len() {
        let Some(Body::Struct { fields, .. }) = types.get(id).map(|type_| &type_.body) else { continue };
        let defaults = fields.iter().map(|field| {
            let default = field.default.as_ref().filter(|default| !too_large.contains(&default.at))?;
            let node = node_of(default, schemas)?;
            Some((node, node.text(), is_certain(schemas, &kept, types, field, node)))
        });
        let defaults: Vec<Option<(&Node, String, bool)>> = defaults.collect();
        let certain = fields.iter().zip(&defaults).filter(|(_, default)| matches!(default, Some((.., true))));
        let mut accessors = names::accessors(certain.map(|(field, _)| field.name.as_str())).into_iter();
        let Some(Body::Struct { fields, .. }) = types.get_mut(id).map(|type_| &mut type_.body) else { continue };
        for (field, default) in fields.iter_mut().zip(defaults) {
            let Some((node, text, certain)) = default else { continue };
            let name = if certain { accessors.next() } else { None };
            let shown = shown(&text);
            field.docs.notes.push(match &name {
                Some(name) => format!("The default is {shown}, which `{name}()` returns where the property is absent."),
                None => format!("The default is {shown}."),
            });
            field.accessor = name.map(|name| Accessor { name, value: node.clone(), text });
        }
    }
}

/// Where defaults stand that so many properties refer to that their text would be too much.
fn too_large(schemas: &Schemas, types: &[Type]) -> HashSet<Loc> {
    let mut uses: HashMap<&Loc, (usize, &SchemaDefault)> = HashMap::new();
    for type_ in types {
        let Body::Struct { fields, .. } = &type_.body else { continue };
        for default in fields.iter().filter_map(|field| field.default.as_ref()) {
            uses.entry(&default.at).or_insert((0, default)).0 += 1;
        }
    }
    let size = |default: &SchemaDefault| node_of(default, schemas).map_or(0, |node| node.text().len());
    let too_large = uses.into_values().filter(|(count, default)| *count > 1 && size(default) > MOST_TEXT / count);
    too_large.map(|(_, default)| default.at.clone()).collect()
}

/// A default as docs show it, shortened.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => code(&format!("{}…", text.get(..end).unwrap_or_default())),
        None => code(text),
    }
}

fn is_certain(schemas: &Schemas, kept: &Kept, types: &[Type], field: &Field, node: &Node) -> bool {
    let Some(default) = &field.default else { return false };
    // there is nothing to tell of a property that is only ever null
    if field.held.shape == Shape::Null || default.schemas.is_empty() || !is_held(types, &field.held.shape, node) {
        return false;
    }
    let (evaluator, value) = (Evaluator::new(schemas, kept), node.value());
    let mut rules = default.schemas.iter();
    rules.all(|loc| kept.spent() <= MOST_STEPS && evaluator.is_valid(&value, loc) == Ok(true))
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
                let declared: HashSet<&str> = fields.iter().map(|field| field.wire.as_str()).collect();
                let mut more = members.iter().filter(|member| !declared.contains(member.key.as_str()));
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
