//! Hides values in `Debug` that another schema of the same value calls sensitive: one around it, a base beside alternatives, a part
//! of `allOf`, a condition.
//!
//! The type of a subschema has one place of use, unless a `$ref` leads to it. So it hides such a value itself, and a program may
//! print it without the value around it. A type that several schemas refer to hides only what its own schema calls sensitive;
//! there, the field that holds it is hidden as a whole.

use std::collections::HashSet;

use super::shape::{Shape, TypeId};
use super::types::{Body, Others, Type};
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::sensitive::Sensitive;

/// Hides in each type what the schemas around its own call sensitive.
pub(super) fn settle(schemas: &Schemas, types: &mut [Type]) {
    if types.iter().all(|type_| type_.sensitive.is_empty()) {
        return;
    }
    let sensitive = Sensitive::of(schemas);
    let mut hiding = Hiding { types, shared: schemas.refs.values().collect(), open: Vec::new() };
    for id in 0..hiding.types.len() {
        let type_ = &hiding.types[id];
        // what an alternative says is about its own values
        let alternatives: Vec<Loc> = match &type_.body {
            Body::Union { variants, .. } => variants.iter().filter_map(|variant| variant.schema.clone()).collect(),
            Body::Struct { .. } | Body::Enum { .. } | Body::Map(_) => Vec::new(),
        };
        let pointers = sensitive.without(&type_.loc, &alternatives);
        hiding.open.extend(pointers.into_iter().map(|pointer| (id, pointer)));
    }
    while let Some((id, pointer)) = hiding.open.pop() {
        hiding.hide(id, &pointer);
    }
    // whatever the order in which they were found
    for type_ in hiding.types.iter_mut() {
        type_.sensitive.sort();
        type_.sensitive.dedup();
    }
}

struct Hiding<'a> {
    types: &'a mut [Type],
    /// The schemas that a `$ref` leads to.
    shared: HashSet<&'a Loc>,
    /// The sensitive values in values of each type, as JSON Pointers.
    open: Vec<(TypeId, String)>,
}

impl Hiding<'_> {
    /// Hides a value in a type, or in the types of its members.
    fn hide(&mut self, id: TypeId, pointer: &str) {
        // a type with this pointer hides all of itself
        if pointer.is_empty() {
            return;
        }
        let (step, rest) = first_step(pointer);
        let loc = self.types[id].loc.clone();
        match &self.types[id].body {
            Body::Struct { fields, .. } => {
                let found = fields.iter().enumerate().find(|(_, field)| field.wire == step);
                let found = found.map(|(index, field)| (index, field.held.shape.clone()));
                let is_hidden = found.as_ref().is_some_and(|(_, shape)| self.hides(&loc, shape, rest));
                let Body::Struct { fields, others } = &mut self.types[id].body else { return };
                match (found.and_then(|(index, _)| fields.get_mut(index)), others) {
                    (Some(field), _) => field.hidden |= !is_hidden,
                    (None, Others::Kept { hidden, .. }) => *hidden = true,
                    (None, Others::Ignored | Others::Refused) => {}
                }
            }
            Body::Union { variants, .. } => {
                let held = variants.iter().filter_map(|variant| variant.held.as_ref());
                let shapes: Vec<Shape> = held.map(|held| held.shape.clone()).collect();
                // each variant has to hide it, so all are asked
                if shapes.iter().filter(|shape| !self.hides(&loc, shape, pointer)).count() > 0 {
                    self.types[id].sensitive.push(String::new());
                }
            }
            // a map hides all its members
            Body::Map(held) => {
                let shape = held.shape.clone();
                self.hides(&loc, &shape, rest);
            }
            Body::Enum { .. } => {}
        }
    }

    /// Whether a value hides what is at `pointer` in it; makes it do so if its type is that of one place within `loc`.
    fn hides(&mut self, loc: &Loc, shape: &Shape, pointer: &str) -> bool {
        match shape {
            Shape::Named(id) => {
                let type_ = &mut self.types[*id];
                if !type_.has(pointer) || type_.is_hiding(pointer) {
                    return true;
                }
                let is_own = type_.loc.file == loc.file && !self.shared.contains(&type_.loc);
                if !is_own || matches!(type_.body, Body::Enum { .. }) {
                    return false;
                }
                type_.sensitive.push(pointer.to_owned());
                self.open.push((*id, pointer.to_owned()));
                true
            }
            Shape::Nullable(inner) => self.hides(loc, &inner.shape, pointer),
            Shape::Array(item) | Shape::Map(item) if !pointer.is_empty() => {
                self.hides(loc, &item.shape, first_step(pointer).1)
            }
            Shape::Any | Shape::Replaced(_) => false,
            // others have no members
            _ => !pointer.is_empty(),
        }
    }
}

impl Type {
    /// Whether `Debug` would show a value at this pointer.
    fn has(&self, pointer: &str) -> bool {
        match &self.body {
            Body::Struct { fields, others } if !pointer.is_empty() => {
                let step = first_step(pointer).0;
                fields.iter().any(|field| field.wire == step) || matches!(others, Others::Kept { .. })
            }
            Body::Enum { .. } => pointer.is_empty(),
            Body::Struct { .. } | Body::Union { .. } | Body::Map(_) => true,
        }
    }

    /// Whether it hides the value at this pointer already.
    fn is_hiding(&self, pointer: &str) -> bool {
        let covers = |known: &String| {
            pointer.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !matches!(self.body, Body::Enum { .. }) && self.sensitive.iter().any(covers)
    }
}

/// Returns the first step of a JSON Pointer, and the pointer after it.
fn first_step(pointer: &str) -> (String, &str) {
    let pointer = pointer.strip_prefix('/').unwrap_or(pointer);
    let (step, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    (step.replace("~1", "/").replace("~0", "~"), rest)
}
