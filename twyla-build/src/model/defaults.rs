//! The defaults of absent properties: a `default` counts if it is certainly a valid value of the property.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use twyla_contract::text::shortened;
use twyla_formats::{net, time};

use super::format_type::FormatType;
use super::replace;
use super::shape::Shape;
use super::types::{Accessor, Body, Field, Others, SchemaDefault, Type};
use super::variant::Variant;
use crate::markdown::code;
use crate::number::Number;
use crate::schema::evaluate::{Cache, Evaluator};
use crate::schema::load::{Json, Node};
use crate::schema::names;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::{Loc, Schemas};

/// Size limit of a default as text, in bytes, summed over all properties that refer to it. A default beyond it is ignored.
const MOST_TEXT: usize = 1 << 20;

/// The maximum number of schemas evaluated for defaults. Properties beyond it have no accessor.
const MOST_STEPS: u64 = 20_000_000;

/// Returns the value of the keyword `default`.
fn node_of<'a>(default: &SchemaDefault, schemas: &'a Schemas) -> Option<&'a Node> {
    schemas.node(&default.at)?.get("default")
}

/// Gives an accessor to each field whose default is valid under its schemas and fits the field's type, and adds every
/// default to the field's docs. A default that is valid but doesn't fit the type is a warning.
pub(super) fn settle(schemas: &Schemas, types: &mut [Type], problems: &mut Vec<Problem>) {
    let cache = LazyCell::new(|| Cache::new(schemas));
    let too_large = too_large(schemas, types);
    for id in 0..types.len() {
        let Some(Body::Struct { fields, .. }) = types.get(id).map(|type_| &type_.body) else { continue };
        let defaults = fields.iter().map(|field| {
            let default = field.default.as_ref().filter(|default| !too_large.contains(&default.at))?;
            let node = node_of(default, schemas)?;
            // a property that is always null needs no accessor, and a replacing type may refuse the default
            let has_accessor = field.held.shape != Shape::Null && !replace::is_foreign(types, &field.held.shape);
            let is_known = has_accessor && !default.schemas.is_empty();
            // no type can hold a number beyond floats, so its rules don't matter
            let is_allowed = is_known && (!node.is_finite() || keeps_rules(schemas, &cache, default, node));
            let unheld = if is_allowed { unheld(types, &field.held.shape, node) } else { None };
            if let Some(MismatchedPart { node, wants }) = &unheld {
                let what = ProblemKind::UnheldDefault { found: shown_value(node), wants: wants.clone() };
                problems.push(schemas.problem(&default.at, node.at, what));
            }
            Some((node, node.text(), is_allowed && node.is_finite() && unheld.is_none()))
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

/// Returns the places of defaults whose text would be too large, summed over the properties that refer to them.
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

/// Returns a default as docs show it, shortened.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    code(&shortened(text, MOST))
}

/// Returns whether a default is certainly valid under all schemas of the property.
fn keeps_rules(schemas: &Schemas, cache: &Cache, default: &SchemaDefault, node: &Node) -> bool {
    let (evaluator, value) = (Evaluator::new(schemas, cache), node.value());
    let mut rules = default.schemas.iter();
    rules.all(|loc| cache.spent() <= MOST_STEPS && evaluator.is_valid(&value, loc) == Ok(true))
}

/// A part of a default that a type can't hold.
struct MismatchedPart<'n> {
    node: &'n Node,
    /// The expected value, in words.
    wants: String,
}

/// Returns the first part of a value that the type of a shape can't hold; `None` if it can hold all parts. Checks and rule
/// trees aren't considered.
fn unheld<'n>(types: &[Type], shape: &Shape, node: &'n Node) -> Option<MismatchedPart<'n>> {
    let unless = |is_held: bool, wants: &str| (!is_held).then(|| MismatchedPart { node, wants: wants.to_owned() });
    let is_number = |holds: &dyn Fn(Number<'_>) -> bool| match &node.json {
        Json::Number(text) => holds(Number::new(text)),
        _ => false,
    };
    match shape {
        Shape::Nullable(_) if matches!(node.json, Json::Null) => None,
        Shape::Nullable(inner) => unheld(types, &inner.shape, node),
        Shape::Replaced(replaced) => unheld(types, &replaced.held.shape, node),
        Shape::Any => unheld_any(node),
        Shape::Null => unless(matches!(node.json, Json::Null), "null"),
        Shape::Boolean => unless(matches!(node.json, Json::Bool(_)), "a `bool`"),
        Shape::String => unless(node.str().is_some(), "a `String`"),
        Shape::Integer { type_, .. } => {
            let wants = format!("{} `{}`", if type_.is_unsigned() { "a" } else { "an" }, type_.name());
            unless(is_number(&|it| it.whole().is_some_and(|value| type_.holds(value))), &wants)
        }
        Shape::Number => unless(is_number(&|it| it.is_float()), "an `f64`"),
        Shape::Format(real) => {
            let holds = |text: &str| match real {
                FormatType::Date => time::date(text.as_bytes()).is_some(),
                FormatType::DateTime => time::date_time(text.as_bytes()).is_some(),
                FormatType::Uuid => net::uuid(text.as_bytes()).is_some(),
                FormatType::Ipv4 => net::ipv4(text.as_bytes()).is_some(),
                FormatType::Ipv6 => net::ipv6(text).is_some(),
            };
            unless(node.str().is_some_and(holds), &format!("the format `{}`", real.format()))
        }
        Shape::Array(inner) => match &node.json {
            Json::Array(items) => items.iter().find_map(|item| unheld(types, &inner.shape, item)),
            _ => unless(false, "a list"),
        },
        Shape::Map(inner) => match &node.json {
            Json::Object(members) => members.iter().find_map(|member| unheld(types, &inner.shape, &member.value)),
            _ => unless(false, "a map"),
        },
        Shape::Named(id) => {
            let type_ = types.get(*id)?;
            let wants = format!("the type `{}`", type_.name);
            match (&type_.body, &node.json) {
                (Body::Enum { words, .. }, Json::String(text)) => unless(words.contains(text), &wants),
                (Body::Map(inner), _) => unheld(types, &inner.shape, node),
                (Body::Union { by, variants }, _) => {
                    let mut parts = Vec::new();
                    for variant in Variant::of(variants, by, &node.value()) {
                        parts.push(unheld(types, &variant.held.as_ref()?.shape, node)?);
                    }
                    parts.into_iter().next().or_else(|| unless(false, &wants))
                }
                (Body::Struct { fields, others }, Json::Object(members)) => {
                    let field = |field: &Field| match node.get(&field.wire) {
                        Some(value) => unheld(types, &field.held.shape, value),
                        None => unless(!field.required, &format!("{wants}, which has `{}`", field.wire)),
                    };
                    let declared: HashSet<&str> = fields.iter().map(|field| field.wire.as_str()).collect();
                    let mut more = members.iter().filter(|member| !declared.contains(member.key.as_str()));
                    fields.iter().find_map(field).or_else(|| match others {
                        Others::Ignored => None,
                        Others::Refused => unless(more.next().is_none(), &wants),
                        Others::Kept { held, .. } => more.find_map(|member| unheld(types, &held.shape, &member.value)),
                    })
                }
                _ => unless(false, &wants),
            }
        }
    }
}

/// Returns the first number in a value of any type that would lose digits.
fn unheld_any(node: &Node) -> Option<MismatchedPart<'_>> {
    match &node.json {
        Json::Null | Json::Bool(_) | Json::String(_) => None,
        Json::Number(text) => {
            let holds = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() || Number::new(text).is_float();
            (!holds).then(|| MismatchedPart { node, wants: "an `i64`, `u64` or `f64`".to_owned() })
        }
        Json::Array(items) => items.iter().find_map(unheld_any),
        Json::Object(members) => members.iter().find_map(|member| unheld_any(&member.value)),
    }
}

/// Formats a value for a warning.
fn shown_value(node: &Node) -> String {
    const MOST: usize = 60;
    shortened(&node.text(), MOST).into_owned()
}
