//! Decides which standard traits a generated type can derive, by the values that it holds.

use super::derived::Traits;
use super::format_type::FormatType;
use super::rules::Check;
use super::shape::{Shape, ValueType};
use super::types::{Body, Others, Type};

/// Decides the traits of all types.
///
/// Types may contain themselves, so this starts with all traits and removes those that a part lacks until nothing changes.
pub(super) fn settle(types: &mut [Type]) {
    // only the compiler knows the traits of a replacing type
    let all = fixpoint(types, Traits::NONE);
    for (type_, traits) in types.iter_mut().zip(all) {
        type_.traits = if is_empty_valid(&type_.body) { traits | Traits::DEFAULT } else { traits };
    }
}

/// Returns the traits that each type could derive if every user type that replaces a generated one implemented all of them.
pub(super) fn possible(types: &[Type]) -> Vec<Traits> {
    fixpoint(types, Traits::COMPARED)
}

/// The traits of generated types known so far, and the traits assumed for replacing types.
struct Known<'a> {
    types: &'a [Traits],
    replaced: Traits,
}

fn fixpoint(types: &[Type], replaced: Traits) -> Vec<Traits> {
    let mut all = vec![Traits::COMPARED; types.len()];
    // a type often follows or precedes the types that it contains: with passes in both directions, few passes are enough
    while pass(types, &mut all, replaced, 0..types.len()) && pass(types, &mut all, replaced, (0..types.len()).rev()) {}
    all
}

/// Updates the traits of the types in this order, and returns whether any has changed.
fn pass(types: &[Type], all: &mut [Traits], replaced: Traits, order: impl Iterator<Item = usize>) -> bool {
    let mut changed = false;
    for id in order {
        let traits = of_body(&Known { types: all, replaced }, &types[id].body);
        changed |= traits != all[id];
        all[id] = traits;
    }
    changed
}

fn of_body(known: &Known<'_>, body: &Body) -> Traits {
    let boxed = |held: &ValueType, boxed: bool| {
        let traits = of_shape(known, &held.shape);
        if boxed { without_copy(traits) } else { traits }
    };
    match body {
        Body::Struct { fields, others } => {
            let kept = match others {
                Others::Kept { held, .. } => of_map(known, held),
                Others::Ignored | Others::Refused => Traits::COMPARED,
            };
            fields
                .iter()
                .filter(|field| field.constant.is_none())
                .fold(kept, |all, field| all & boxed(&field.held, field.boxed))
        }
        Body::Union { variants, .. } => {
            let held = variants.iter().filter_map(|variant| Some((variant.held.as_ref()?, variant.boxed)));
            held.fold(Traits::COMPARED, |all, (held, is_boxed)| all & boxed(held, is_boxed))
        }
        Body::Map(held) => of_shape(known, &held.shape),
        Body::Enum { .. } => Traits::COMPARED,
    }
}

fn of_shape(known: &Known<'_>, shape: &Shape) -> Traits {
    match shape {
        // numbers of `serde_json` are never NaN
        Shape::Any => Traits::EQ | Traits::HASH,
        Shape::Number => Traits::COPY | Traits::PARTIAL_ORD,
        Shape::Null | Shape::Boolean | Shape::Integer { .. } => Traits::COMPARED,
        Shape::String | Shape::Format(FormatType::DateTime) => without_copy(Traits::COMPARED),
        Shape::Format(FormatType::Date | FormatType::Uuid | FormatType::Ipv4 | FormatType::Ipv6) => Traits::COMPARED,
        Shape::Named(id) => known.types[*id],
        Shape::Array(item) => without_copy(of_shape(known, &item.shape)),
        Shape::Map(value) => of_map(known, value),
        Shape::Nullable(inner) => of_shape(known, &inner.shape),
        Shape::Replaced(_) => known.replaced,
    }
}

fn of_map(known: &Known<'_>, value: &ValueType) -> Traits {
    without_copy(of_shape(known, &value.shape))
}

fn without_copy(traits: Traits) -> Traits {
    traits.without(Traits::COPY)
}

/// Returns whether a newtype has nothing required, so that the empty value is its default. A struct has a `Default` by its
/// `new`.
fn is_empty_valid(body: &Body) -> bool {
    let Body::Map(held) = body else { return false };
    let is_required =
        |check: &Check| matches!(check, Check::MinItems(_) | Check::MinProperties(_) | Check::Required(_));
    matches!(held.shape, Shape::Array(_) | Shape::Map(_) | Shape::Nullable(_)) && !held.checks.iter().any(is_required)
}

/// Returns the name and the shape of the first member that lacks a trait; the name is empty for the value of a newtype.
/// `None` if all members have the trait, or only replacing types may lack it. `possible` is what [`possible`] returns.
pub(super) fn lacking<'a>(
    types: &'a [Type],
    possible: &[Traits],
    id: usize,
    wanted: Traits,
) -> Option<(&'a str, &'a Shape)> {
    let known = Known { types: possible, replaced: Traits::COMPARED };
    let lacks =
        |held: &ValueType, boxed: bool| !of_shape(&known, &held.shape).has(wanted) || boxed && wanted == Traits::COPY;
    match &types[id].body {
        Body::Struct { fields, others } => {
            let field = fields.iter().find(|field| field.constant.is_none() && lacks(&field.held, field.boxed));
            let kept = || match others {
                Others::Kept { name, held, .. } if lacks(held, true) => Some((name.as_str(), &held.shape)),
                _ => None,
            };
            field.map(|field| (field.name.as_str(), &field.held.shape)).or_else(kept)
        }
        Body::Union { variants, .. } => {
            let mut held = variants.iter().filter_map(|variant| Some((variant, variant.held.as_ref()?)));
            let found = held.find(|(variant, held)| lacks(held, variant.boxed));
            found.map(|(variant, held)| (variant.name.as_str(), &held.shape))
        }
        Body::Map(held) => lacks(held, false).then_some(("", &held.shape)),
        Body::Enum { .. } => None,
    }
}
