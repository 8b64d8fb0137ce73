//! Places boxes where a type would contain itself and have no finite size.

use super::shape::{Shape, TypeId, ValueType};
use super::types::{Body, Others, Type};

/// Marks the fields and variants that need a box: those that contain, by value, a type of the same cycle.
pub(super) fn place(types: &mut [Type]) {
    let circles = circles(types);
    for id in 0..types.len() {
        let needs = |shape: &Shape| by_value(shape).is_some_and(|other| circles[other] == circles[id]);
        match &mut types[id].body {
            Body::Struct { fields, .. } => fields.iter_mut().for_each(|field| field.boxed = needs(&field.held.shape)),
            Body::Union { variants, .. } => {
                let needs = |held: &Option<ValueType>| held.as_ref().is_some_and(|held| needs(&held.shape));
                variants.iter_mut().for_each(|variant| variant.boxed = needs(&variant.held));
            }
            Body::Map(_) | Body::Enum { .. } => {}
        }
    }
}

/// Returns the type that a value contains directly, without a vector or map in between.
fn by_value(shape: &Shape) -> Option<TypeId> {
    match shape {
        Shape::Named(id) => Some(*id),
        Shape::Nullable(held) => by_value(&held.shape),
        _ => None,
    }
}

fn next(type_: &Type) -> Vec<TypeId> {
    match &type_.body {
        Body::Struct { fields, others: Others::Ignored | Others::Refused | Others::Kept { .. } } => {
            fields.iter().filter_map(|field| by_value(&field.held.shape)).collect()
        }
        Body::Union { .. } => type_.body.holds().into_iter().filter_map(|held| by_value(&held.shape)).collect(),
        Body::Map(held) => by_value(&held.shape).into_iter().collect(),
        Body::Enum { .. } => Vec::new(),
    }
}

/// Returns the strongly connected component of each type. A type outside of cycles is alone in its component.
///
/// Tarjan's algorithm, without recursion: schemas may be deep.
fn circles(types: &[Type]) -> Vec<usize> {
    const NEW: usize = usize::MAX;
    let edges: Vec<Vec<TypeId>> = types.iter().map(next).collect();
    let (mut order, mut low, mut circle) = (vec![NEW; types.len()], vec![0; types.len()], vec![NEW; types.len()]);
    let (mut count, mut circles) = (0, 0);
    let mut stack = Vec::new();
    for root in 0..types.len() {
        if order[root] != NEW {
            continue;
        }
        let mut way = vec![(root, 0)];
        while let Some((id, edge)) = way.pop() {
            if edge == 0 {
                (order[id], low[id]) = (count, count);
                count += 1;
                stack.push(id);
            }
            if let Some(&to) = edges[id].get(edge) {
                way.push((id, edge + 1));
                if order[to] == NEW {
                    way.push((to, 0));
                } else if circle[to] == NEW {
                    low[id] = low[id].min(order[to]);
                }
                continue;
            }
            if low[id] == order[id] {
                while let Some(member) = stack.pop() {
                    circle[member] = circles;
                    if member == id {
                        break;
                    }
                }
                circles += 1;
            }
            if let Some((parent, _)) = way.last() {
                low[*parent] = low[*parent].min(low[id]);
            }
        }
    }
    circle
}
